-- What could not be written and why. Never a body and never a value: the message itself is in the dead-letter queue.
CREATE TABLE IF NOT EXISTS rejected_messages (
    sent_at timestamptz NOT NULL,
    message_id uuid NOT NULL,
    reason text NOT NULL,
    field text,
    receive_count integer NOT NULL,
    first_rejected_at timestamptz NOT NULL DEFAULT now(),
    last_rejected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sent_at, message_id)
);

COMMENT ON TABLE rejected_messages IS 'Messages that could not be written; holds no body and no value';
COMMENT ON COLUMN rejected_messages.sent_at IS 'When the message was first sent to the queue';
COMMENT ON COLUMN rejected_messages.message_id IS 'SQS message id of the first sending; source-message-id in the dead-letter queue';
COMMENT ON COLUMN rejected_messages.reason IS 'Why, as a code: not_json, missing_field, too_long, refused_by_database and so on';
COMMENT ON COLUMN rejected_messages.field IS 'The field at fault; NULL where the body as a whole is';
COMMENT ON COLUMN rejected_messages.receive_count IS 'How often SQS had delivered the message when it was last rejected';
COMMENT ON COLUMN rejected_messages.first_rejected_at IS 'First rejection, by the database clock';
COMMENT ON COLUMN rejected_messages.last_rejected_at IS 'Latest rejection, by the database clock';
