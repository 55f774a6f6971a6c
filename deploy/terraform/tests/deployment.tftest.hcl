# What must hold of the deployment, on a provider that asks nobody: `terraform test`.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:mocked" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mocked" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked" }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = { id = "arn:aws:ecs:eu-central-1:123456789012:cluster/mocked" }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mocked:1" }
  }
}

variables {
  region             = "eu-central-1"
  image              = "ghcr.io/example/etl:0.1.0"
  vpc_id             = "vpc-0"
  private_subnet_ids = ["subnet-a", "subnet-b"]
  database_authority = "PEM"
}

run "queues" {
  assert {
    condition     = jsondecode(aws_sqs_queue.logins.redrive_policy).maxReceiveCount >= 10
    error_message = "A killed worker or an outage would dead-letter good messages."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.logins.message_retention_seconds
    error_message = "SQS counts age from the first sending: what is dead-lettered late would expire at once."
  }

  assert {
    condition     = aws_sqs_queue.logins.message_retention_seconds + aws_sqs_queue.dead_letters.message_retention_seconds < 30 * 86400
    error_message = "The ledger forgets after 30 days: a message that comes back later would be a second row."
  }
}

run "rights" {
  assert {
    condition = toset(flatten([for statement in local.worker_statements : statement.Action])) == toset([
      "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
      "sqs:SendMessage", "sqs:GetQueueUrl", "kms:Decrypt", "rds-db:connect",
    ])
    error_message = "The worker's rights have changed: write down why in iam.tf, then here."
  }

  assert {
    condition = alltrue([
      for statement in concat(local.worker_statements, local.owner_statements, local.launch_statements) :
      statement.Resource != "*" && alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])
    ])
    error_message = "A right on everything, or to everything."
  }
}

run "tasks" {
  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.etl["worker"].container_definitions) :
      container.user == "65532:65532" && container.readonlyRootFilesystem && container.stopTimeout > 25 + 10
      if container.name == "etl"
    ])
    error_message = "The worker runs as root, may write to its image, or is killed before its grace period is over."
  }

  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.etl["worker"].container_definitions) :
      !strcontains(jsonencode(container.environment), "password") && !can(container.secrets) if container.name == "etl"
    ])
    error_message = "The worker's environment holds a secret."
  }

  assert {
    condition     = alltrue([for url in local.database_url : strcontains(url, "sslmode=verify-full")])
    error_message = "A token of IAM goes to whoever answers, unless the certificate is checked."
  }
}

run "alarms" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.no_polls.treat_missing_data == "breaching"
    error_message = "A queue that nobody asks sends no figures, and the alarm would sleep."
  }
}

run "what_cannot_be_made_again_is_kept" {
  assert {
    condition     = aws_db_instance.logins.deletion_protection && aws_db_instance.logins.multi_az && !aws_db_instance.logins.skip_final_snapshot
    error_message = "The database could be lost."
  }
}

run "a_scheme_without_a_key_is_refused" {
  command = plan

  variables {
    masking = "base64"
  }

  expect_failures = [var.masking]
}

run "one_subnet_is_refused" {
  command = plan

  variables {
    private_subnet_ids = ["subnet-a"]
  }

  expect_failures = [var.private_subnet_ids]
}
