"""Google Tink for Python against this crate, in both directions; see exchange.sh.

Every check names what a reader of our columns relies on. Ends with a non-zero status at the first that fails.
"""

import base64
import io
import os
import subprocess
import sys
import time

import tink
from tink import aead, cleartext_keyset_handle, daead, prf
from tink.proto import tink_pb2

VALUES = ["199.172.111.135", "0.0.0.0", "2001:db8::1", "", "593-47-5928", "ünïcödé 🔑", "x" * 171]
ADDRESS = "199.172.111.135"


class Ours:
    """The example binary: one request a line, one answer a line."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *fields):
        self.process.stdin.write("\t".join(map(str, fields)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        if answer.startswith("error: "):
            raise RuntimeError(f"{fields[0]}: {answer}")
        return answer


def write_private(path, text):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def save(handle, path):
    text = io.StringIO()
    cleartext_keyset_handle.write(tink.JsonKeysetWriter(text), handle)
    write_private(path, text.getvalue())


def load(path):
    with open(path) as file:
        return cleartext_keyset_handle.read(tink.JsonKeysetReader(file.read()))


def siv(path):
    return load(path).primitive(daead.DeterministicAead)


def keyset_of(path):
    with open(path) as file:
        return tink.JsonKeysetReader(file.read()).read()


def primary(path):
    return keyset_of(path).primary_key_id


def both_ways(ours, path, what):
    """Equal ciphertexts, byte for byte, and each opens the other's."""
    theirs = siv(path)
    for value in VALUES:
        for domain in ["ip", "device_id", ""]:
            masked = ours("mask", "aes-siv", path, domain, value)
            ciphertext = theirs.encrypt_deterministically(value.encode(), domain.encode())
            assert base64.b64decode(masked) == ciphertext, what
            assert theirs.decrypt_deterministically(base64.b64decode(masked), domain.encode()) == value.encode()
            assert ours("unmask", "aes-siv", path, domain, base64.urlsafe_b64encode(ciphertext).decode()) == value
    print(f"ok    {what}")


def tink_rotates(path, rotated):
    """Rotation on Tink's side: a second key joins and becomes the primary."""
    keyset = keyset_of(path)
    fresh = tink.new_keyset_handle(daead.deterministic_aead_key_templates.AES256_SIV)
    text = io.BytesIO()
    cleartext_keyset_handle.write(tink.BinaryKeysetWriter(text), fresh)
    added = tink_pb2.Keyset.FromString(text.getvalue())
    keyset.key.extend(added.key)
    keyset.primary_key_id = added.primary_key_id
    save(cleartext_keyset_handle.from_keyset(keyset), rotated)


def encrypted_keysets(ours, path, work):
    """The wrapping key stays on Tink's side, as a key service would keep it."""
    kek = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)
    text = io.StringIO()
    load(path).write(tink.JsonKeysetWriter(text), kek)
    theirs = os.path.join(work, "encrypted-theirs.json")
    write_private(theirs, text.getvalue())
    binary = kek.decrypt(bytes.fromhex(ours("ciphertext", theirs)), b"")
    assert int(ours("open", theirs, binary.hex())) == primary(path)
    print("ok    an encrypted keyset of Tink opens here")

    binary = bytes.fromhex(ours("binary", path))
    assert tink_pb2.Keyset.FromString(binary) == keyset_of(path)
    sealed = os.path.join(work, "encrypted-ours.json")
    ours("seal", path, kek.encrypt(binary, b"").hex(), sealed)
    with open(sealed) as file:
        handle = tink.read_keyset_handle(tink.JsonKeysetReader(file.read()), kek)
    masked = base64.b64decode(ours("mask", "aes-siv", path, "ip", ADDRESS))
    opened = handle.primitive(daead.DeterministicAead).decrypt_deterministically(masked, b"ip")
    assert opened.decode() == ADDRESS
    print("ok    an encrypted keyset of ours opens in Tink")


def hmac_keysets(ours, path):
    save(tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA256), path)
    first = ours("mask", "hmac-sha256", path, "ip", ADDRESS)
    assert first == ours("mask", "hmac-sha256", path, "ip", ADDRESS) and len(first) == 22
    # Its fingerprints are derived as Tink's PRF would not derive them; the domain's sub-key is one block of HKDF:
    # HMAC(K, info ‖ 01), and Tink computes that too.
    import hashlib
    import hmac

    subkey = load(path).primitive(prf.PrfSet).primary().compute(b"masking/v1/hmac-sha256/ip\x01", 32)
    expected = hmac.new(subkey, ADDRESS.encode(), hashlib.sha256).digest()[:16]
    assert base64.urlsafe_b64encode(expected).rstrip(b"=").decode() == first
    print("ok    a PRF keyset of Tink gives the fingerprints that Tink and hashlib give")


def speed(path):
    theirs, rounds = siv(path), 20_000
    start = time.perf_counter()
    for _ in range(rounds):
        theirs.encrypt_deterministically(b"199.172.111.135", b"ip")
        theirs.encrypt_deterministically(b"593-47-5928", b"device_id")
    print(f"      Tink for Python, both fields of a record: {(time.perf_counter() - start) / rounds * 1e9:.0f} ns")


def main():
    binary, work = sys.argv[1:]
    for register in (daead.register, prf.register, aead.register):
        register()
    ours = Ours(binary)
    theirs_path, ours_path = os.path.join(work, "theirs.json"), os.path.join(work, "ours.json")

    save(tink.new_keyset_handle(daead.deterministic_aead_key_templates.AES256_SIV), theirs_path)
    both_ways(ours, theirs_path, "a keyset of Tink, used here and there")
    ours("new", ours_path)
    both_ways(ours, ours_path, "a keyset of ours, used here and there")

    old = base64.b64decode(ours("mask", "aes-siv", ours_path, "ip", ADDRESS))
    old_id = primary(ours_path)
    added = int(ours("add", ours_path, ""))
    assert primary(ours_path) == old_id
    assert int(ours("promote", ours_path, "")) == added == primary(ours_path)
    both_ways(ours, ours_path, "after a rotation here")
    assert siv(ours_path).decrypt_deterministically(old, b"ip").decode() == ADDRESS
    print("ok    an old value opens in Tink after a rotation here")

    rotated = os.path.join(work, "rotated.json")
    old_theirs = siv(theirs_path).encrypt_deterministically(ADDRESS.encode(), b"ip")
    tink_rotates(theirs_path, rotated)
    both_ways(ours, rotated, "after a rotation in Tink")
    assert ours("unmask", "aes-siv", rotated, "ip", base64.b64encode(old_theirs).decode()) == ADDRESS
    print("ok    an old value opens here after a rotation in Tink")

    ours("disable", ours_path, old_id)
    both_ways(ours, ours_path, "with a disabled key")
    ours("destroy", ours_path, old_id)
    both_ways(ours, ours_path, "with a destroyed key")
    try:
        siv(ours_path).decrypt_deterministically(old, b"ip")
        sys.exit("a destroyed key still opens values in Tink")
    except tink.TinkError:
        print("ok    a destroyed key opens nothing in Tink")

    encrypted_keysets(ours, theirs_path, work)
    hmac_keysets(ours, os.path.join(work, "prf.json"))
    speed(theirs_path)


if __name__ == "__main__":
    main()
