# The queue of login events, and where those go that cannot be read.

resource "aws_sqs_queue" "logins" {
  name                       = var.name
  message_retention_seconds  = 7 * 86400
  visibility_timeout_seconds = 60 # extended by the worker for as long as it holds a message
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  # Ten: a worker that is killed, and a database that is away, must not look like a message that cannot be read.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 10
  })
}

# Twice as long as the queue: SQS counts a message's age from its first sending, in the dead-letter queue too.
resource "aws_sqs_queue" "dead_letters" {
  name                       = "${var.name}-dead-letters"
  message_retention_seconds  = 14 * 86400
  visibility_timeout_seconds = 60
  sqs_managed_sse_enabled    = true
}

# No other queue may empty itself into this one, and by this policy `etl rejects redrive` finds the way back.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.logins.arn]
  })
}

resource "aws_sqs_queue_policy" "encrypted_in_transit" {
  for_each  = { logins = aws_sqs_queue.logins, dead_letters = aws_sqs_queue.dead_letters }
  queue_url = each.value.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NothingInClearText"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
