# The workers: tasks on Fargate that know nothing of each other.

locals {
  keys_folder = "/var/run/etl"

  database_url = {
    for user in ["etl_worker", "etl_owner"] :
    user => "postgres://${user}@${aws_db_instance.logins.endpoint}/logins?sslmode=verify-full&sslrootcert=${local.keys_folder}/database-authority.pem"
  }

  logs = {
    for stream in ["etl", "files", "migrate"] : stream => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.etl.name
        awslogs-region        = var.region
        awslogs-stream-prefix = stream
      }
    }
  }

  # Fargate hands secrets over as variables, and etl reads keys from a file that others may not write: this container
  # writes the files, and is gone before the worker starts.
  files_container = {
    name      = "files"
    image     = "public.ecr.aws/docker/library/busybox:1.37"
    essential = false
    command = ["sh", "-euc", join(" && ", [
      "cd ${local.keys_folder}",
      "printf %s \"$DATABASE_AUTHORITY\" > database-authority.pem",
      "if [ -n \"$${KEYSET:-}\" ]; then (umask 077 && printf %s \"$KEYSET\" > keyset.json); fi",
      "chown 65532:65532 *",
    ])]
    environment      = [{ name = "DATABASE_AUTHORITY", value = var.database_authority }]
    mountPoints      = [{ sourceVolume = "files", containerPath = local.keys_folder, readOnly = false }]
    logConfiguration = local.logs["files"]
  }

  etl_container = {
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    # Above --grace-period (25 s): what a worker holds is written, then it ends.
    stopTimeout = 45
    dependsOn   = [{ containerName = "files", condition = "SUCCESS" }]
    mountPoints = [{ sourceVolume = "files", containerPath = local.keys_folder, readOnly = true }]
  }

  environment = {
    AWS_REGION        = var.region
    ETL_DATABASE_AUTH = "iam"
  }

  # In what the tasks differ; all else stands once, in the resource below.
  tasks = {
    worker = {
      cpu    = 1024
      memory = 2048
      role   = "worker"
      files  = { secrets = [{ name = "KEYSET", valueFrom = aws_secretsmanager_secret.keyset.arn }] }
      etl = {
        name    = "etl"
        command = ["run", "--follow", "--no-migrate"]
        healthCheck = {
          command     = ["CMD", "/usr/local/bin/etl", "healthcheck"]
          interval    = 30
          timeout     = 10
          retries     = 3
          startPeriod = 30
        }
        logConfiguration = local.logs["etl"]
      }
      environment = {
        DATABASE_URL   = local.database_url["etl_worker"]
        ETL_KEYSET     = "${local.keys_folder}/keyset.json"
        ETL_KEYSET_KEK = "aws-kms://${aws_kms_key.keyset.arn}"
        ETL_MASKING    = var.masking
        ETL_QUEUE_URL  = aws_sqs_queue.logins.url
      }
    }

    # Run once before a release by the command in outputs.tf.
    migrate = {
      cpu    = 256
      memory = 512
      role   = "owner"
      files  = {}
      etl = {
        name             = "migrate"
        command          = ["migrate"]
        logConfiguration = local.logs["migrate"]
      }
      environment = { DATABASE_URL = local.database_url["etl_owner"] }
    }
  }
}

resource "aws_cloudwatch_log_group" "etl" {
  name              = "/etl/${var.name}"
  retention_in_days = 30
}

# Container Insights counts the tasks that run, by which scaling.tf divides.
resource "aws_ecs_cluster" "etl" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "etl" {
  cluster_name       = aws_ecs_cluster.etl.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_task_definition" "etl" {
  for_each                 = local.tasks
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.etl[each.value.role].arn
  execution_role_arn       = aws_iam_role.etl["launch"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  volume {
    name = "files"
  }

  container_definitions = jsonencode([
    merge(local.files_container, each.value.files),
    merge(local.etl_container, each.value.etl, {
      environment = [for name, value in merge(local.environment, each.value.environment) : { name = name, value = value }]
    }),
  ])
}

resource "aws_ecs_service" "etl" {
  name            = "${var.name}-worker"
  cluster         = aws_ecs_cluster.etl.id
  task_definition = aws_ecs_task_definition.etl["worker"].arn
  desired_count   = var.workers.least

  # Old and new workers may overlap, since the ledger keeps rows single.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.workers.least
    weight            = var.spot ? 0 : 1
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot ? ["FARGATE_SPOT"] : []

    content {
      capacity_provider = capacity_provider_strategy.value
      weight            = 1
    }
  }

  network_configuration {
    subnets         = var.private_subnet_ids
    security_groups = [aws_security_group.workers.id]
  }

  # Target tracking owns the number from the first moment on.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.etl, aws_iam_role_policy.etl]
}
