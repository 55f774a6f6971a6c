#!/usr/bin/env python3
"""Measures what is not a race between consumers: how soon a row is visible, a queue that is far away or deep, an idle
follower, the start, the size of the binary. All at the default options, aes-siv.

Called by `just bench figures [NAME ...]`, which builds what is measured.
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import psycopg2

import stand

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Bench:
    """What is measured, and where."""

    etl: str
    stack: str
    database_url: str
    masking: list

    def command(self, *options):
        return stand.etl_command(self.etl, *self.masking, *options)

    def drained(self, messages, *options, depth=None, latency=0):
        """A run over `messages`; what the server saw and the peak of memory in bytes. Wrong rows are no figure."""
        stand.empty_tables(self.database_url)
        queue = stand.LoadQueue(self.stack, depth or messages, latency)
        _, peak, _ = stand.run(self.command(*options), queue.environment(self.database_url))
        seen = queue.end()
        written = stand.rows(self.database_url)
        if written != messages or seen["deleted"] != messages:
            raise SystemExit(f"{messages} messages made {written} rows, {seen['deleted']} were deleted: no figure")
        return seen, peak


def visible(bench):
    """From a message's send to its row's visibility at 200 messages/s, one message a request."""
    for options in [[], ["--batch-age", "10ms"]]:
        delays = sorted(delays_at(bench, 200, 20, options))
        middle, high = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
        yield " ".join(["sent to visible, 200/s, p50 / p99", *options]), f"{middle * 1e3:.0f} / {high * 1e3:.0f} ms"


def delays_at(bench, rate, seconds, options):
    stand.empty_tables(bench.database_url)
    queue = stand.LoadQueue(bench.stack, 0)
    follower = subprocess.Popen(
        bench.command("--follow", *options),
        env=queue.environment(bench.database_url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sent = {}
    sender = threading.Thread(target=send, args=(queue, rate, rate * seconds, sent))
    sender.start()
    seen = watch(bench.database_url, sent, rate * seconds)
    sender.join()
    follower.send_signal(signal.SIGTERM)
    follower.wait()
    queue.end()
    return [seen[user] - sent[user] for user in sent]


def send(queue, rate, messages, sent):
    """One message a request, evenly; `sent` gets the time of each, by user id."""
    connection = http.client.HTTPConnection(queue.endpoint.removeprefix("http://"))
    headers = {"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"}
    event = {"ip": "203.0.113.7", "device_id": "1", "device_type": "ios", "locale": None, "app_version": "2.3.0"}
    begun = time.monotonic() + 1
    for number in range(messages):
        time.sleep(max(0, begun + number / rate - time.monotonic()))
        body = json.dumps({"user_id": str(number), **event})
        sent[str(number)] = time.monotonic()
        connection.request("POST", "/", json.dumps({"QueueUrl": queue.url, "MessageBody": body}), headers)
        connection.getresponse().read()


def watch(database_url, sent, rows):
    """When each user id was seen first, looking every 2 ms for those that are on their way."""
    seen = {}
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    deadline = time.monotonic() + 120
    with connection.cursor() as cursor:
        while len(seen) < rows:
            if time.monotonic() > deadline:
                raise SystemExit(f"{rows - len(seen)} of {rows} rows are missing: no figure")
            cursor.execute("SELECT user_id FROM user_logins WHERE user_id = ANY(%s)", ([*(sent.copy().keys() - seen.keys())],))
            now = time.monotonic()
            seen.update((user, now) for (user,) in cursor.fetchall())
            time.sleep(0.002)
    connection.close()
    return seen


def far(bench):
    """Ten milliseconds added to every answer, as AWS has."""
    messages = 200_000
    rates = [messages / bench.drained(messages, latency=10)[0]["busy_seconds"] for _ in range(3)]
    yield "10 ms on every call of the queue, messages/s", f"{statistics.median(rates):,.0f}"


def deep(bench):
    """Peak memory does not grow with the queue."""
    shallow = bench.drained(100_000)[1]
    deep_queue = bench.drained(500_000, "--max-messages", "500000", depth=5_000_000)[1]
    yield "peak memory, 100,000 / 5,000,000 messages deep", f"{shallow / 2**20:.0f} / {deep_queue / 2**20:.0f} MiB"


def idle(bench):
    """A follower on an empty queue for a minute, from its start on."""
    queue = stand.LoadQueue(bench.stack, 0)
    follower = subprocess.Popen(
        bench.command("--follow"),
        env=queue.environment(bench.database_url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(2)
    before = cpu_seconds(follower.pid)
    time.sleep(60)
    cpu = cpu_seconds(follower.pid) - before
    follower.send_signal(signal.SIGTERM)
    follower.wait()
    requests = queue.end()["requests"]
    yield "idle follower, CPU in a minute", f"{cpu / 60:.2%}"
    yield "idle follower, requests in 62 s, those of the start too", " ".join(f"{n} {name}," for name, n in requests.items()).rstrip(",")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def start(bench):
    """From the start of the process to the answer to its first receive."""
    waits = []
    for _ in range(20):
        stand.empty_tables(bench.database_url)
        queue = stand.LoadQueue(bench.stack, 10)
        begun = time.time()
        stand.run(bench.command("--max-messages", "10"), queue.environment(bench.database_url))
        waits.append(queue.end()["first_found_unix_seconds"] - begun)
    yield "start to first poll, median of 20", f"{statistics.median(waits) * 1e3:.0f} ms"


def binary(bench):
    """As `just release` leaves it."""
    yield "binary", f"{os.path.getsize(bench.etl) / 1e6:.1f} MB"


FIGURES = {figure.__name__: figure for figure in (visible, far, deep, idle, start, binary)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--etl", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--keyset", required=True)
    parser.add_argument("names", nargs="*", help=f"{', '.join(FIGURES)} [default: all]")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(FIGURES)
    if unknown:
        parser.error(f"no figure is called {', '.join(unknown)}: choose from {', '.join(FIGURES)}")
    masking = ["--masking", "aes-siv", "--keyset", arguments.keyset]
    bench = Bench(arguments.etl, arguments.stack, os.environ["DATABASE_URL"], masking)
    print("| figure | measured |\n|---|---|")
    for name in arguments.names or FIGURES:
        print(f"measuring: {name}", file=sys.stderr)
        for figure, value in FIGURES[name](bench):
            print(f"| {figure} | {value} |", flush=True)


if __name__ == "__main__":
    main()
