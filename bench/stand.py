"""What every measurement stands on: a load queue, a database, a process whose cost is counted."""

import json
import os
import subprocess
import time

import psycopg2

QUEUE = "login-queue"


class LoadQueue:
    """A queue with a backlog, in a process of its own."""

    def __init__(self, stack, messages, latency=0):
        command = [stack, "load-queue", "--queue", QUEUE, "--messages", str(messages), "--latency", str(latency)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    @property
    def url(self):
        return f"{self.endpoint}/000000000000/{QUEUE}"

    def environment(self, database_url, **more):
        """For a consumer of this queue, whatever names it knows."""
        return dict(
            os.environ,
            AWS_ENDPOINT_URL=self.endpoint,
            ETL_ENDPOINT_URL=self.endpoint,
            AWS_DEFAULT_REGION=os.environ["AWS_REGION"],
            QUEUE_URL=self.url,
            DATABASE_URL=database_url,
            **more,
        )

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


def empty_tables(database_url):
    sql(database_url, "TRUNCATE user_logins, ingested_messages")


def rows(database_url):
    return int(sql(database_url, "SELECT count(*) FROM user_logins"))


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


def run(command, environment, patience=600):
    """Runs a consumer to its end: CPU seconds, peak bytes, its output. Raises where it fails."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    cpu, peak = cpu_and_peak(process, time.monotonic() + patience)
    output, errors = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {errors[-2000:]}")
    return cpu, peak, output


def etl_command(etl, *options):
    return [etl, "run", "--queue-name", QUEUE, "--output", "json", "--log-level", "error", *options]
