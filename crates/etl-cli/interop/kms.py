"""Key files that a key at AWS KMS encrypts, exchanged with Google Tink for Python: each opens what the other made.

Called by kms.sh, with the program and the address of a server that speaks KMS. Ends with a non-zero status at the first
check that fails.
"""

import base64
import io
import os
import subprocess
import sys
import tempfile

import boto3
import tink
from tink import daead
from tink.integration import awskms

ADDRESS = "199.172.111.135"
REGION = os.environ["AWS_REGION"]


def etl(program, endpoint, *arguments, stdin=""):
    environment = dict(os.environ, AWS_ENDPOINT_URL_KMS=endpoint, ETL_LOG_LEVEL="error")
    done = subprocess.run([program, *arguments], input=stdin, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout.strip()


def filters(path, uri):
    return ["--masking", "aes-siv", "--domain", "ip", "--keyset", path, "--keyset-kek", uri]


def main():
    program, endpoint = sys.argv[1:]
    daead.register()
    kms = boto3.client("kms", endpoint_url=endpoint, region_name=REGION)
    uri = "aws-kms://" + kms.create_key()["KeyMetadata"]["Arn"]
    kek = awskms.new_client(boto3_client=kms, key_uri=uri).get_aead(uri)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = os.path.join(folder, "ours.json"), os.path.join(folder, "theirs.json")

        etl(program, endpoint, "keyset", "new", "--out", ours, "--keyset-kek", uri)
        for change in ("add", "promote"):
            etl(program, endpoint, "keyset", change, "--keyset", ours, "--keyset-kek", uri)
        masked = etl(program, endpoint, "mask", *filters(ours, uri), stdin=ADDRESS)
        with open(ours) as file:
            handle = tink.read_keyset_handle(tink.JsonKeysetReader(file.read()), kek)
        primitive = handle.primitive(daead.DeterministicAead)
        assert primitive.decrypt_deterministically(base64.b64decode(masked), b"ip").decode() == ADDRESS
        print("ok    a key file of ours under a key at KMS opens in Tink, after a rotation too")

        handle = tink.new_keyset_handle(daead.deterministic_aead_key_templates.AES256_SIV)
        text = io.StringIO()
        handle.write(tink.JsonKeysetWriter(text), kek)
        with os.fdopen(os.open(theirs, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text.getvalue())
        sealed = handle.primitive(daead.DeterministicAead).encrypt_deterministically(ADDRESS.encode(), b"ip")
        masked = base64.b64encode(sealed).decode()
        assert etl(program, endpoint, "unmask", *filters(theirs, uri), stdin=masked) == ADDRESS
        print("ok    a key file of Tink under a key at KMS opens here")


if __name__ == "__main__":
    main()
