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
from botocore.exceptions import EndpointConnectionError

REGION = "eu-central-1"
MESSAGES = 100
# Where the task has its files.
MOUNT = "/var/run/etl"
# Every kind of thing that the module makes, and how to list it; keys and clusters need more than a list. Inactive task
# definitions, and keys that wait for their deletion, are what AWS leaves of such things.
LISTS = [
    ("sqs", "list_queues", "QueueUrls", {}),
    ("secretsmanager", "list_secrets", "SecretList", {}),
    ("iam", "list_roles", "Roles", {}),
    ("rds", "describe_db_instances", "DBInstances", {}),
    ("rds", "describe_db_snapshots", "DBSnapshots", {}),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups", {}),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups", {}),
    ("ec2", "describe_security_groups", "SecurityGroups", {}),
    ("ecs", "list_task_definitions", "taskDefinitionArns", {"status": "ACTIVE"}),
    ("logs", "describe_log_groups", "logGroups", {}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", {}),
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets", {"ServiceNamespace": "ecs"}),
    ("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", {"ServiceNamespace": "ecs"}),
]


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
                self.client("sqs").list_queues()
                return
            except EndpointConnectionError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit("the double of AWS does not start")
                time.sleep(0.1)

    def authorise_after(self, requests):
        """From then on roles have the rights of their policies, and no others."""
        # Without the type moto takes the number for a form.
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset-auth", str(requests).encode(), headers)
        urllib.request.urlopen(request).read()

    def inventory(self):
        """What there is, by kind."""
        found = {}
        for service, call, key, options in LISTS:
            answer = getattr(self.client(service), call)(**options)
            found[key] = {json.dumps(thing, sort_keys=True, default=str) for thing in answer.get(key, [])}
        found["Keys"], found["clusterArns"] = set(self.keys()), set(self.clusters())
        return found

    def keys(self):
        """The customer's KMS keys that do not wait for their deletion; AWS makes keys of its own, named alias/aws/…, and keeps them."""
        kms = self.client("kms")
        of_aws = {alias.get("TargetKeyId") for alias in kms.list_aliases()["Aliases"] if alias["AliasName"].startswith("alias/aws/")}
        for key in kms.list_keys()["Keys"]:
            state = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
            if key["KeyId"] not in of_aws and state != "PendingDeletion":
                yield key["KeyId"]

    def clusters(self):
        """ECS still lists a cluster for a while that was deleted, as inactive."""
        ecs = self.client("ecs")
        found = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
        return [cluster["clusterArn"] for cluster in found if cluster["status"] != "INACTIVE"]

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
    """Made under the KMS key, and put into the secret."""
    made = folder / "made.json"
    made.unlink(missing_ok=True)
    run_etl(etl, "keyset", "new", "--out", str(made), "--keyset-kek", outputs["keyset_kek"]["value"])
    if "encryptedKeyset" not in made.read_text():
        sys.exit("the keyset is not encrypted")
    secret = outputs["keyset_secret"]["value"]
    double.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=made.read_text())


def start_task(double, folder):
    """What Fargate does with the task: secrets become variables, the container `files` writes, the worker gets its own."""
    task = double.client("ecs").describe_task_definition(taskDefinition="logins-worker")["taskDefinition"]
    containers = {container["name"]: container for container in task["containerDefinitions"]}
    named = {name: {pair["name"]: pair["value"] for pair in of["environment"]} for name, of in containers.items()}
    for secret in containers["files"]["secrets"]:
        value = double.client("secretsmanager").get_secret_value(SecretId=secret["valueFrom"])["SecretString"]
        named["files"][secret["name"]] = value
    mounted = folder / "files"
    mounted.mkdir(exist_ok=True)
    script = [word.replace(MOUNT, str(mounted)) for word in containers["files"]["command"]]
    if os.geteuid() != 0:
        script[-1] = script[-1].replace("chown 65532:65532 *", "true")
    subprocess.run(script, env={"PATH": os.environ["PATH"], **named["files"]}, check=True)
    return {name: value.replace(MOUNT, str(mounted)) for name, value in named["etl"].items()}


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
    place_keyset(etl, double, folder, outputs)
    task = start_task(double, folder)
    # The database is this machine's, which knows no tokens of IAM.
    task = {name: value for name, value in task.items() if name not in ("DATABASE_URL", "ETL_DATABASE_AUTH")}
    run_etl(etl, "migrate")
    run_etl(etl, "send", "--queue-url", queue, "--generate", str(MESSAGES))
    double.client("sqs").send_message(QueueUrl=queue, MessageBody="not a login")
    role = worker_credentials(double, outputs["worker_role"]["value"])
    double.authorise_after(0)
    options = ["--no-migrate", "--output", "json", "--wait-time-seconds", "1"]
    summary = json.loads(run_etl(etl, "run", *options, environment=task | role))
    denied = subprocess.run(
        [etl, "send", "--queue-url", queue, "--generate", "1"], env=dict(os.environ, **role), capture_output=True, text=True
    )
    double.authorise_after("inf")
    if denied.returncode == 0:
        sys.exit("the double authorises nothing: a worker may send")
    # A message may come twice, from moto too.
    once = summary["written"] + summary["rejected"] == MESSAGES + 1 and summary["rejected"] > 0
    if not once or summary["left"] or not summary["received"] == summary["deleted"] > MESSAGES:
        sys.exit(f"the run on Terraform's queue is wrong: {summary}")
    depth = double.client("sqs").get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["All"])["Attributes"]
    if int(depth["ApproximateNumberOfMessages"]) != summary["rejected"]:
        sys.exit(f"the dead-letter queue does not hold what was rejected: {depth}")
    print(f"etl run on Terraform's queue, with its task's variables and in the worker's role: {json.dumps(summary)}")


def leftovers(before, after):
    """What is there now and was not before."""
    return [f"{kind} {thing}" for kind, things in after.items() for thing in things - before[kind]]


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
            print(f"terraform: planned and applied, {len(leftovers(before, double.inventory()))} things that can be listed")
            work(arguments.etl, double, arguments.folder)
            terraform(arguments.folder, "destroy", "-input=false", "-auto-approve")
            left = leftovers(before, double.inventory())
            if left:
                sys.exit("terraform destroy left behind:\n" + "\n".join(left))
            print("terraform: destroyed, nothing left behind")
        finally:
            double.process.terminate()
            double.process.wait()


if __name__ == "__main__":
    main()
