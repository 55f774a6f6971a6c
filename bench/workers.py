#!/usr/bin/env python3
"""1, 2, 4 and 8 workers on one queue: the rate, and whether every row is there once; then once more with every fifth
message delivered twice, through a proxy whose own cost would hide the rate.

Called by `just bench workers`, which builds what is measured. The workers, the queue and Postgres share this machine's
cores, so that the total shows what sharing a queue costs, and not what more machines give.
"""

import argparse
import json
import os
import subprocess
import sys

import stand

DUPLICATES = "duplicate@1/5"


class Doubled:
    """A proxy before the queue, through which every fifth message of a receive comes twice."""

    def __init__(self, stack, queue):
        command = [stack, "fault-proxy", "--upstream", queue.endpoint, "--fault", DUPLICATES]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def end(self):
        self.process.terminate()
        self.process.communicate()


def drain(command, environment, workers):
    """Starts that many at once, waits for all; their summaries."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(workers)]
    summaries = []
    for process in processes:
        output, errors = process.communicate(timeout=900)
        if process.returncode != 0:
            raise SystemExit(f"a worker failed: {errors[-2000:]}")
        summaries.append(json.loads(output))
    return summaries


def measure(arguments, command, workers, doubled):
    """One run, its deliveries doubled or not: the rate, the duplicates, the workers' shares, and whether rows are right."""
    database_url = os.environ["DATABASE_URL"]
    stand.empty_tables(database_url)
    queue = stand.LoadQueue(arguments.stack, arguments.messages, arguments.latency)
    environment = queue.environment(database_url)
    proxy = Doubled(arguments.stack, queue) if doubled else None
    if proxy:
        environment["ETL_ENDPOINT_URL"] = proxy.endpoint
    summaries = drain(command, environment, workers)
    if proxy:
        proxy.end()
    seen = queue.end()
    written = [summary["written"] for summary in summaries]
    users = int(stand.sql(database_url, "SELECT count(DISTINCT user_id) FROM user_logins"))
    return {
        "rate": arguments.messages / seen["busy_seconds"],
        "duplicates": sum(summary["duplicates"] for summary in summaries),
        "shares": [part / arguments.messages for part in written],
        "once": stand.rows(database_url) == users == sum(written) == seen["deleted"] == arguments.messages,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--etl", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--keyset", required=True)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds added to every answer of the queue")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4, 8])
    arguments = parser.parse_args()
    command = stand.etl_command(arguments.etl, "--masking", "aes-siv", "--keyset", arguments.keyset)
    print("| workers | messages/s | to one worker | a worker's share | delivered twice, written once | every row once |\n|" + "---|" * 6)
    first, right = None, True
    for workers in arguments.workers:
        plain, doubled = (measure(arguments, command, workers, doubled) for doubled in (False, True))
        first = first or plain["rate"]
        once = plain["once"] and doubled["once"]
        right = right and once
        print(
            f"| {workers} | {plain['rate']:,.0f} | {plain['rate'] / first:.2f} | {min(plain['shares']):.0%} to {max(plain['shares']):.0%} | "
            f"{doubled['duplicates']:,} | {'yes' if once else 'NO'} |",
            flush=True,
        )
    sys.exit(not right)


if __name__ == "__main__":
    main()
