#!/usr/bin/env python3
"""Measures `etl run` beside the bare SDK loop and other consumers: same queue server, same database, one run.

Called by `just bench`, which builds what is measured. Contenders take turns, so that noise of the machine falls on
all of them; figures are medians. A contender that leaves wrong rows gets no figure.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

import psycopg2

QUEUE = "login-queue"


@dataclass
class Contender:
    """One program under measurement; `writes` says whether it is to fill the table."""

    name: str
    command: list
    writes: bool
    environment: dict = field(default_factory=dict)
    messages: int = 0
    runs: list = field(default_factory=list)


class LoadQueue:
    """A queue with a backlog, in a process of its own."""

    def __init__(self, stack, messages, latency):
        command = [stack, "load-queue", "--queue", QUEUE, "--messages", str(messages), "--latency", str(latency)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def end(self):
        """What the server saw."""
        self.process.terminate()
        return json.loads(self.process.stdout.read())


def sql(database_url, *statements):
    """Runs statements one by one; the first value of the last, where it has one."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        value = cursor.fetchone()[0] if cursor.description else None
    connection.close()
    return value


def cpu_and_peak(process, deadline):
    """Waits for the process; its CPU seconds and peak resident bytes."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(0.002)


def measure(contender, stack, database_url, latency):
    sql(database_url, "TRUNCATE user_logins, ingested_messages")
    queue = LoadQueue(stack, contender.messages, latency)
    environment = dict(
        os.environ,
        AWS_ENDPOINT_URL=queue.endpoint,
        ETL_ENDPOINT_URL=queue.endpoint,
        AWS_DEFAULT_REGION=os.environ["AWS_REGION"],
        QUEUE_URL=f"{queue.endpoint}/000000000000/{QUEUE}",
        DATABASE_URL=database_url,
        MESSAGES=str(contender.messages),
        **contender.environment,
    )
    command = [argument.replace("{queue_url}", environment["QUEUE_URL"]) for argument in contender.command]
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    cpu, peak = cpu_and_peak(process, started + 600)
    output, errors = process.communicate()
    seen = queue.end()
    if process.returncode != 0:
        sys.exit(f"{contender.name} failed: {errors[-2000:]}")
    summary = json.loads(output.strip().splitlines()[-1]) if contender.writes and output.strip() else {}
    contender.runs.append(run_figures(contender, seen, cpu, peak, summary, database_url))


def run_figures(contender, seen, cpu, peak, summary, database_url):
    messages = contender.messages
    rows = int(sql(database_url, "SELECT count(*) FROM user_logins"))
    return {
        # From the first receive to the last delete, by the server's clock: start-up and the last empty poll
        # belong to nobody's rate.
        "per_second": messages / seen["busy_seconds"],
        "cpu_us": cpu * 1e6 / messages,
        "requests": seen["all_requests"] / messages,
        "statements": summary.get("sql_statements"),
        "peak_mib": peak / 2**20,
        "right": seen["deleted"] == messages and (not contender.writes or rows == messages),
    }


def median(contender, figure):
    values = [run[figure] for run in contender.runs if run[figure] is not None]
    return statistics.median(values) if values else None


def table(contenders):
    baseline = contenders[0]
    head = "| consumer | messages/s | CPU µs a message | rate, to the bare loop | CPU, to the bare loop | requests a message | statements a 500 | peak MiB | rows right |"
    lines = [head, "|---" * 9 + "|"]
    for contender in contenders:
        rate, cpu = median(contender, "per_second"), median(contender, "cpu_us")
        statements = median(contender, "statements")
        batches = contender.messages / 500
        cells = [
            contender.name,
            f"{rate:,.0f}",
            f"{cpu:.1f}",
            f"{rate / median(baseline, 'per_second'):.2f}",
            f"{cpu / median(baseline, 'cpu_us'):.2f}",
            f"{median(contender, 'requests'):.3f}",
            "–" if statements is None else f"{statements / batches:.2f}",
            f"{median(contender, 'peak_mib'):.0f}",
            "all" if all(run["right"] for run in contender.runs) else "NO",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--etl", required=True)
    parser.add_argument("--bare-loop", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--keyset", required=True)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds added to every answer of the queue")
    parser.add_argument("--etl-options", default="", help="further options of `etl run`")
    parser.add_argument("--peer", action="append", default=[], help="NAME=COMMAND of another consumer")
    parser.add_argument("--peer-messages", type=int, default=20_000)
    arguments = parser.parse_args()
    etl = [arguments.etl, "run", "--queue-name", QUEUE, "--output", "json", "--log-level", "error"]
    etl += arguments.etl_options.split()
    keyset = ["--keyset", arguments.keyset]
    contenders = [
        Contender("bare SDK loop", [arguments.bare_loop, "{queue_url}", "16"], False),
        Contender("etl, base64", [*etl, "--masking", "base64"], True),
        Contender("etl, aes-siv", [*etl, "--masking", "aes-siv", *keyset], True),
    ]
    for contender in contenders:
        contender.messages = arguments.messages
    for peer in arguments.peer:
        name, command = peer.split("=", 1)
        contenders.append(Contender(name, command.split(), True, messages=arguments.peer_messages))
    for turn in range(arguments.runs):
        for contender in contenders:
            print(f"turn {turn + 1} of {arguments.runs}: {contender.name}", file=sys.stderr)
            measure(contender, arguments.stack, os.environ["DATABASE_URL"], arguments.latency)
    print(table(contenders))


if __name__ == "__main__":
    main()
