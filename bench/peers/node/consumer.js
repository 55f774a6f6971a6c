// The job on sqs-consumer and pg, as their documentation shows it: batches of ten, deleted once written.
// Idempotent like `etl`. Reads QUEUE_URL and DATABASE_URL.
import { SQSClient } from "@aws-sdk/client-sqs";
import pg from "pg";
import { Consumer } from "sqs-consumer";

const CONSUMERS = 8;
const WRITE = {
  name: "write",
  text: `WITH incoming AS (
    SELECT DISTINCT ON (sent_at, message_id) * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[],
      $5::text[], $6::text[], $7::text[], $8::int[], $9::date[])
    AS row (sent_at, message_id, user_id, device_type, masked_ip, masked_device_id, locale, app_version, create_date)
    ORDER BY sent_at, message_id
  ), fresh AS (
    INSERT INTO ingested_messages SELECT sent_at, message_id FROM incoming ON CONFLICT DO NOTHING
    RETURNING sent_at, message_id
  )
  INSERT INTO user_logins
  SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version, create_date
  FROM incoming JOIN fresh USING (sent_at, message_id)`,
};
const masked = (value) => (value === null ? null : Buffer.from(value).toString("base64"));

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: CONSUMERS });
const sqs = new SQSClient({});

function row(message) {
  const event = JSON.parse(message.Body);
  const sentAt = new Date(Number(message.Attributes.SentTimestamp)).toISOString();
  const version = event.app_version === null ? null : Number.parseInt(event.app_version, 10);
  return [sentAt, message.MessageId, event.user_id, event.device_type, masked(event.ip), masked(event.device_id),
    event.locale, version, sentAt.slice(0, 10)];
}

async function handleMessageBatch(messages) {
  const rows = messages.map(row);
  await pool.query({ ...WRITE, values: rows[0].map((_, column) => rows.map((r) => r[column])) });
  return messages;
}

const consumers = Array.from({ length: CONSUMERS }, () =>
  Consumer.create({
    queueUrl: process.env.QUEUE_URL,
    sqs,
    batchSize: 10,
    waitTimeSeconds: 1,
    messageSystemAttributeNames: ["SentTimestamp"],
    handleMessageBatch,
  }));
for (const consumer of consumers) {
  consumer.on("error", (error) => { console.error(error.message); process.exit(1); });
  consumer.on("processing_error", (error) => { console.error(error.message); process.exit(1); });
  consumer.on("empty", () => consumers.forEach((each) => each.stop()));
  consumer.on("stopped", async () => {
    if (!pool.ending && consumers.every((each) => !each.status.isRunning)) await pool.end();
  });
  consumer.start();
}
