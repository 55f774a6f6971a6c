# What wakes somebody. docs/RUNBOOK.md says what to do then.

locals {
  queue_alarms = {
    oldest-message = {
      description = "Messages wait for longer than ${var.oldest_message_seconds} s: workers are too few or stuck, or the database is away."
      queue       = aws_sqs_queue.logins.name
      metric      = "ApproximateAgeOfOldestMessage"
      threshold   = var.oldest_message_seconds
      missing     = "notBreaching"
    }
    dead-letters = {
      description = "Messages lie in the dead-letter queue: see `etl rejects list`, then `etl rejects redrive`."
      queue       = aws_sqs_queue.dead_letters.name
      metric      = "ApproximateNumberOfMessagesVisible"
      threshold   = 0
      missing     = "notBreaching"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each            = local.queue_alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}

# A worker polls at least every twenty seconds, full or empty. A queue that nobody asks sends no figures at all, which is
# why missing data is the alarm here.
resource "aws_cloudwatch_metric_alarm" "no_polls" {
  alarm_name          = "${var.name}-no-polls"
  alarm_description   = "Nobody has asked the queue for messages for five minutes: no worker runs, or none gets that far."
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = 5
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions

  metric_query {
    id          = "polls"
    expression  = "FILL(empty, 0) + FILL(received, 0)"
    label       = "Empty receives and messages received"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { empty = "NumberOfEmptyReceives", received = "NumberOfMessagesReceived" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = aws_sqs_queue.logins.name }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

# Storage grows by itself up to its bound; this is the bound coming near.
resource "aws_cloudwatch_metric_alarm" "storage" {
  alarm_name          = "${var.name}-database-storage"
  alarm_description   = "Less than 10 GiB are free on the database."
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.logins.identifier }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 10 * 1024 * 1024 * 1024
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}
