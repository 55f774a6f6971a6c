"""Runs the function under cargo-lambda's emulator of Lambda, and plays the event source mapping: receives batches from the
local queue, invokes, deletes what the answer does not name. `just lambda` calls it, with the local stack in the environment.

Needs `cargo-lambda` (PyPI, Homebrew, crates.io). Shows that one bad message in ten fails alone, that an outage of the
database loses and dead-letters nothing, how long a cold start takes and how much memory is needed at most. What stands in
the environment reaches the function: with ETL_DATABASE_AUTH, ETL_KEYSET and the like a start is that of such a function.
"""

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

FUNCTION, PSQL = sys.argv[1], sys.argv[2:]
PORT = 9411
REGION, ACCOUNT = os.environ["AWS_REGION"], "000000000000"
ENDPOINT = os.environ["ETL_ENDPOINT_URL"].split("/0000")[0].rstrip("/")
QUEUE = f"{ENDPOINT}/{ACCOUNT}/login-queue"
COLD_STARTS = int(os.environ.get("COLD_STARTS", "25"))
# The batch of template.yaml.
LARGE_BATCH = 1000


def post(url, body, headers=()):
    request = urllib.request.Request(url, json.dumps(body).encode(), dict(headers))
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"{}")


def sqs(action, **body):
    scope = f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}", "Authorization": scope}
    return post(ENDPOINT, {"QueueUrl": QUEUE, **body}, headers)


def sql(statement):
    return subprocess.run([*PSQL, "-Atqc", statement], check=True, capture_output=True, text=True).stdout.strip()


def record(message):
    return {
        "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
        "attributes": message["Attributes"], "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": REGION,
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:login-queue",
    }


def invoke(records):
    """The ids to deliver again: all of them after an error."""
    try:
        answer = post(f"http://127.0.0.1:{PORT}/2015-03-31/functions/_/invocations", {"Records": records})
    except urllib.error.HTTPError as error:
        answer = json.loads(error.read() or b"{}")
    if "batchItemFailures" not in answer:
        print("  the function answers with an error:", answer.get("errorType", "?"))
        return {one["messageId"] for one in records}
    return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}


def deliver():
    """One batch of ten: how many were received, how many stay."""
    received = sqs("ReceiveMessage", MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=60).get("Messages", [])
    again = invoke([record(message) for message in received]) if received else set()
    for message in received:
        handle = message["ReceiptHandle"]
        if message["MessageId"] in again:
            sqs("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=0)
        else:
            sqs("DeleteMessage", ReceiptHandle=handle)
    return len(received), len(again)


def start_function(database=os.environ["DATABASE_URL"], port=PORT):
    environment = dict(
        os.environ,
        DATABASE_URL=database,
        AWS_LAMBDA_RUNTIME_API=f"http://127.0.0.1:{port}/.rt",
        AWS_LAMBDA_FUNCTION_NAME="_", AWS_LAMBDA_FUNCTION_VERSION="1", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="128",
        ETL_LOG_LEVEL="error",
    )
    return subprocess.Popen([FUNCTION], env=environment, stdout=subprocess.DEVNULL)


def end(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def peak_memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def cold_start(number):
    """Milliseconds from the start of the process to its first question for an invocation, and to the answer of that
    invocation, which writes a row."""
    body = sqs("SendMessage", MessageBody=event(f"cold-{number}")) and sqs(
        "ReceiveMessage", MaxNumberOfMessages=1, AttributeNames=["All"], VisibilityTimeout=60)["Messages"]
    # An emulator of its own: another may still give the invocation to the function before, whose end it has not seen.
    with emulator():
        way = Relay(("127.0.0.1", PORT))
        began = time.monotonic()
        process = start_function(port=way.port)
        assert not invoke([record(body[0])])
        answered = time.monotonic()
        end(process)
    sqs("DeleteMessage", ReceiptHandle=body[0]["ReceiptHandle"])
    return (way.asked_at - began) * 1000, (answered - began) * 1000


def cold_starts():
    asked, answered = zip(*(cold_start(number) for number in range(COLD_STARTS)))
    for what, times in (("ready, it asks for an invocation", asked), ("the first answer", answered)):
        print(f"cold start until {what}: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms of {COLD_STARTS}")
    print(f"  with a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def event(user):
    return json.dumps({"user_id": user, "app_version": "2.3.0", "device_type": "ios", "ip": "203.0.113.7", "locale": None,
                       "device_id": "593-47-5928"})


def drain(process):
    batches = 0
    while deliver()[0]:
        batches += 1
    rows = sql("SELECT count(*) FROM user_logins")
    print(f"sample events: {batches} batches, {rows} rows in user_logins, peak memory {peak_memory(process):.0f} MiB")


def one_large_batch(process):
    message = {"ReceiptHandle": "none", "Attributes": {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1"}}
    records = [
        record({**message, "MessageId": f"00000000-0000-4000-8000-{number:012}", "Body": event(f"large-{number}")})
        for number in range(LARGE_BATCH)
    ]
    again = invoke(records)
    written = sql("SELECT count(*) FROM user_logins WHERE user_id LIKE 'large-%'")
    print(f"a batch of {LARGE_BATCH}: {written} written, {len(again)} to come again, peak memory {peak_memory(process):.0f} MiB")


def one_bad_in_ten():
    for number in range(10):
        sqs("SendMessage", MessageBody="no JSON" if number == 4 else event(f"ten-{number}"))
    received, again = deliver()
    rejected = sql("SELECT count(*) FROM rejected_messages")
    written = sql("SELECT count(*) FROM user_logins WHERE user_id LIKE 'ten-%'")
    print(f"one bad in ten: {received} received, {written} written, {rejected} rejections recorded, {again} to come again")


class Relay:
    """A way to a server, which tells when it was first used, and which an outage takes away: connections are cut, and new
    ones closed at once."""

    def __init__(self, target):
        self.target, self.is_up, self.open, self.asked_at = target, True, [], None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            self.asked_at = self.asked_at or time.monotonic()
            if not self.is_up:
                client.close()
                continue
            server = socket.create_connection(self.target)
            self.open += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def pass_on(one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass
        hang_up(one, other)

    def cut(self):
        self.is_up = False
        hang_up(*self.open)
        self.open = []


def hang_up(*connections):
    """Not by closing: a thread that waits for one would keep it open."""
    for connection in connections:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def outage(relay):
    for number in range(10):
        sqs("SendMessage", MessageBody=event(f"outage-{number}"))
    relay.cut()
    received, again = deliver()
    print(f"outage: {received} received, {again} to come again")
    relay.is_up = True
    received, again = deliver()
    written = sql("SELECT count(*) FROM user_logins WHERE user_id LIKE 'outage-%'")
    print(f"after it: {received} received, {written} written, {again} to come again")


def main():
    database = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    relay = Relay((database.hostname, database.port))
    with emulator():
        process = start_function(database.geturl().replace(f":{database.port}/", f":{relay.port}/"))
        drain(process)
        one_bad_in_ten()
        outage(relay)
        one_large_batch(process)
        end(process)
    cold_starts()


@contextlib.contextmanager
def emulator():
    process = subprocess.Popen(
        ["cargo-lambda", "lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port", str(PORT), "--quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_emulator()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def await_emulator():
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("error: cargo-lambda does not answer\nhint: pip install cargo-lambda")


main()
