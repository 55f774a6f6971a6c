#!/usr/bin/env python3
"""Measures `etl run` beside the bare SDK loop and other consumers: same queue server, same database, one run.

Called by `just bench`, which builds what is measured. Contenders take turns, so that noise of the machine falls on
all of them; figures are medians. A contender that leaves wrong rows gets no figure.
"""

import argparse
import json
import os
import statistics
import sys
from dataclasses import dataclass, field

import stand


@dataclass
class Contender:
    """One program under measurement; `writes` says whether it is to fill the table."""

    name: str
    command: list
    writes: bool
    messages: int = 0
    runs: list = field(default_factory=list)


def measure(contender, stack, database_url, latency):
    stand.empty_tables(database_url)
    queue = stand.LoadQueue(stack, contender.messages, latency)
    environment = queue.environment(database_url, MESSAGES=str(contender.messages))
    command = [argument.replace("{queue_url}", queue.url) for argument in contender.command]
    cpu, peak, output = stand.run(command, environment)
    seen = queue.end()
    summary = json.loads(output.strip().splitlines()[-1]) if contender.writes and output.strip() else {}
    contender.runs.append(run_figures(contender, seen, cpu, peak, summary, database_url))


def run_figures(contender, seen, cpu, peak, summary, database_url):
    messages = contender.messages
    rows = stand.rows(database_url)
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
    etl = stand.etl_command(arguments.etl, *arguments.etl_options.split())
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
