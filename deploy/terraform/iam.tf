# Who may do what: each action for a reason, each on one thing alone.

locals {
  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # Not on behalf of another account's tasks.
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  database_user = "arn:aws:rds-db:${var.region}:${local.account}:dbuser:${aws_db_instance.logins.resource_id}"

  worker_statements = [
    {
      Sid    = "ReadTheQueue"
      Effect = "Allow"
      Action = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",           # after the commit
        "sqs:ChangeMessageVisibility", # keeps what is held hidden, and gives back what is not
        "sqs:GetQueueAttributes",      # the dead-letter queue's address, the visibility timeout; KEDA asks for the depth
      ]
      Resource = aws_sqs_queue.logins.arn
    },
    {
      Sid    = "ForwardWhatCannotBeRead"
      Effect = "Allow"
      Action = [
        "sqs:SendMessage",
        "sqs:GetQueueUrl", # the policy of the queue names it by ARN
      ]
      Resource = aws_sqs_queue.dead_letters.arn
    },
    {
      Sid      = "OpenTheKeyset"
      Effect   = "Allow"
      Action   = "kms:Decrypt" # once, at start
      Resource = aws_kms_key.keyset.arn
    },
    {
      Sid      = "WriteRows"
      Effect   = "Allow"
      Action   = "rds-db:connect" # a token in place of a password
      Resource = "${local.database_user}/etl_worker"
    },
  ]

  owner_statements = [{
    Sid      = "MigrateTables"
    Effect   = "Allow"
    Action   = "rds-db:connect"
    Resource = "${local.database_user}/etl_owner"
  }]

  launch_statements = [
    {
      Sid      = "GiveTheKeysetToTasks"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = aws_secretsmanager_secret.keyset.arn
    },
    {
      # The outer lock only: through Secrets Manager, never directly.
      Sid       = "OpenTheSecret"
      Effect    = "Allow"
      Action    = "kms:Decrypt"
      Resource  = aws_kms_key.keyset.arn
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
    },
    {
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.etl.arn}:*"
    },
  ]

  roles = {
    worker = local.worker_statements
    owner  = local.owner_statements
    launch = local.launch_statements
  }
}

# worker: the program while it runs. owner: `etl migrate`. launch: ECS itself, before the program starts.
resource "aws_iam_role" "etl" {
  for_each           = local.roles
  name               = "${var.name}-${each.key}"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "etl" {
  for_each = local.roles
  name     = each.key
  role     = aws_iam_role.etl[each.key].name
  policy   = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
