#!/usr/bin/env python3
"""Applies deploy/terraform for real, to a double of AWS on this machine; then `etl run` works on the queue that it made.

Called by deploy/check, with the environment of a local Postgres. The keyset goes the way that it goes in production:
made by `etl keyset new` under the KMS key, put into the secret, read back, opened by the worker's role. The worker has
that role's rights and no others. In the end Terraform takes all away, and what is left is compared with before.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3

REGION = "eu-central-1"
MESSAGES = 100
# What a deletion leaves by design: a key waits for days, a task definition stays readable, roles stay with the account.
STAYS = {("kms", "Key"): "PendingDeletion", ("ecs", "TaskDefinition"): "INACTIVE"}


class Double:
    """The server, in a process of its own."""

    def __init__(self, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        command = [sys.executable, Path(__file__).with_name("aws_double.py"), str(port)]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "owner",
            "AWS_SECRET_ACCESS_KEY": "owner",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "3",
        }
        os.environ.update(self.environment)
        self.await_answer()

    def await_answer(self):
        deadline = time.monotonic() + 120
        while True:
            try:
                return urllib.request.urlopen(f"{self.endpoint}/moto-api/data.json").read()
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit("the double of AWS does not start")
                time.sleep(0.1)

    def authorise_after(self, requests):
        """From then on roles have the rights of their policies, and no others."""
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset-auth", data=str(requests).encode(), method="POST")
        urllib.request.urlopen(request).read()

    def inventory(self):
        """How many there are of each kind of thing."""
        kinds = json.loads(self.await_answer())
        return {(service, kind): things for service, of in kinds.items() for kind, things in of.items()}

    def client(self, service):
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION)


def terraform(folder, *arguments):
    done = subprocess.run(["terraform", *arguments, "-no-color"], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"terraform {arguments[0]}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def write_variables(folder, double):
    ec2 = double.client("ec2")
    variables = {
        "region": REGION,
        "image": "ghcr.io/example/etl:0.1.0",
        "vpc_id": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        "private_subnet_ids": [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]],
        "database_authority": "-----BEGIN CERTIFICATE-----",
        "protected": False,
    }
    (folder / "check.auto.tfvars.json").write_text(json.dumps(variables))


def run_etl(etl, *arguments, environment=None):
    done = subprocess.run([etl, *arguments], env=dict(os.environ, **(environment or {})), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"etl {arguments[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def place_keyset(etl, double, folder, outputs):
    """Made, put into the secret, and read back as the container `files` of the task does; the options that open it."""
    made, read = folder / "made.json", folder / "keyset.json"
    kek = ["--keyset-kek", outputs["keyset_kek"]["value"]]
    for old in (made, read):
        old.unlink(missing_ok=True)
    run_etl(etl, "keyset", "new", "--out", str(made), *kek)
    secrets, secret = double.client("secretsmanager"), outputs["keyset_secret"]["value"]
    secrets.put_secret_value(SecretId=secret, SecretString=made.read_text())
    read.touch(mode=0o600)
    read.write_text(secrets.get_secret_value(SecretId=secret)["SecretString"])
    if "encryptedKeyset" not in read.read_text():
        sys.exit("the keyset is not encrypted")
    return ["--keyset", str(read), *kek]


def worker_credentials(double, role):
    session = double.client("sts").assume_role(RoleArn=role, RoleSessionName="check")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def work(etl, double, folder):
    """Messages in, a worker with its role's rights, rows out; what cannot be read is found behind the queue's policy."""
    outputs = json.loads(terraform(folder, "output", "-json"))
    queue, dead_letters = outputs["queue_url"]["value"], outputs["dead_letter_queue_url"]["value"]
    keyset = place_keyset(etl, double, folder, outputs)
    run_etl(etl, "migrate")
    run_etl(etl, "send", "--queue-url", queue, "--generate", str(MESSAGES))
    double.client("sqs").send_message(QueueUrl=queue, MessageBody="not a login")
    role = worker_credentials(double, outputs["worker_role"]["value"])
    double.authorise_after(0)
    options = ["--queue-url", queue, "--masking", "aes-siv", "--no-migrate", "--output", "json", "--wait-time-seconds", "1"]
    summary = json.loads(run_etl(etl, "run", *options, *keyset, environment=role))
    denied = subprocess.run(
        [etl, "send", "--queue-url", queue, "--generate", "1"], env=dict(os.environ, **role), capture_output=True, text=True
    )
    double.authorise_after("inf")
    if denied.returncode == 0:
        sys.exit("the double authorises nothing: a worker may send")
    expected = {"received": MESSAGES + 1, "left": 0, "deleted": MESSAGES + 1}
    wrong = {name: summary[name] for name, value in expected.items() if summary[name] != value}
    if wrong or summary["written"] + summary["rejected"] != MESSAGES + 1 or summary["rejected"] < 1:
        sys.exit(f"the run on Terraform's queue is wrong: {summary}")
    depth = double.client("sqs").get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["All"])["Attributes"]
    if int(depth["ApproximateNumberOfMessages"]) != summary["rejected"]:
        sys.exit(f"the dead-letter queue does not hold what was rejected: {depth}")
    print(f"etl run on Terraform's queue, in the worker's role: {json.dumps(summary)}")


def leftovers(before, after):
    """What is there now and was not before, but for what stays by design."""
    for kind, things in after.items():
        new = len(things) - len(before.get(kind, []))
        if new <= 0:
            continue
        if kind in STAYS and all(STAYS[kind] in json.dumps(thing, default=str) for thing in things[-new:]):
            print(f"{kind[0]}: {new} {kind[1]} left as {STAYS[kind]}, by design")
        else:
            yield f"{kind[0]}: {new} {kind[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--etl", required=True)
    parser.add_argument("--folder", required=True, type=Path, help="a copy of deploy/terraform, initialised")
    arguments = parser.parse_args()
    with open(arguments.folder / "double.log", "w", encoding="utf-8") as log:
        double = Double(log)
        try:
            before = double.inventory()
            write_variables(arguments.folder, double)
            terraform(arguments.folder, "plan", "-input=false", "-out=plan")
            terraform(arguments.folder, "apply", "-input=false", "plan")
            print("terraform: planned and applied")
            work(arguments.etl, double, arguments.folder)
            terraform(arguments.folder, "destroy", "-input=false", "-auto-approve")
            left = list(leftovers(before, double.inventory()))
            if left:
                sys.exit("terraform destroy left behind: " + ", ".join(left))
            print("terraform: destroyed, nothing left behind")
        finally:
            double.process.terminate()
            double.process.wait()


if __name__ == "__main__":
    main()
