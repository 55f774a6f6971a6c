"""The job as an expert would write it in Python: threads, long polls of ten, execute_values, deletes in batches
after the commit. Idempotent like `etl`: the same ledger, the same order. Reads QUEUE_URL and
DATABASE_URL."""

import base64
import datetime
import json
import os
import threading

import boto3
import psycopg2
import psycopg2.extras
from botocore.config import Config

THREADS = 8
BATCH = 100
WRITE = """
WITH incoming AS (
  SELECT DISTINCT ON (sent_at, message_id) * FROM (VALUES %s)
  AS row (sent_at, message_id, user_id, device_type, masked_ip, masked_device_id, locale, app_version, create_date)
  ORDER BY sent_at, message_id
), fresh AS (
  INSERT INTO ingested_messages SELECT sent_at, message_id FROM incoming ON CONFLICT DO NOTHING
  RETURNING sent_at, message_id
)
INSERT INTO user_logins
SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version, create_date
FROM incoming JOIN fresh USING (sent_at, message_id)
"""
TEMPLATE = "(%s, %s::uuid, %s, %s, %s, %s, %s, %s::int, %s)"


def masked(value):
    return None if value is None else base64.b64encode(value.encode()).decode()


def row(message):
    event = json.loads(message["Body"])
    sent_at = datetime.datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, datetime.timezone.utc)
    version = event["app_version"]
    return (
        sent_at, message["MessageId"], event["user_id"], event["device_type"], masked(event["ip"]),
        masked(event["device_id"]), event["locale"], version and int(version.split(".")[0]), sent_at.date(),
    )


class Worker(threading.Thread):
    def __init__(self, sqs, url):
        super().__init__()
        self.sqs, self.url, self.held = sqs, url, []
        self.database = psycopg2.connect(os.environ["DATABASE_URL"])

    def run(self):
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            messages = answer.get("Messages", [])
            self.held.extend(messages)
            if self.held and (len(self.held) >= BATCH or not messages):
                self.flush()
            if not messages:
                return

    def flush(self):
        with self.database, self.database.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, WRITE, [row(m) for m in self.held], TEMPLATE, page_size=BATCH + 10)
        for start in range(0, len(self.held), 10):
            chunk = self.held[start:start + 10]
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(chunk)]
            self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        self.held.clear()


def main():
    sqs = boto3.client("sqs", config=Config(max_pool_connections=THREADS))
    workers = [Worker(sqs, os.environ["QUEUE_URL"]) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


main()
