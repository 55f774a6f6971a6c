output "queue_url" {
  description = "Where senders put login events."
  value       = aws_sqs_queue.logins.url
}

output "dead_letter_queue_url" {
  description = "Where `etl rejects redrive` reads."
  value       = aws_sqs_queue.dead_letters.url
}

output "keyset_kek" {
  description = "For `etl keyset new --keyset-kek`."
  value       = "aws-kms://${aws_kms_key.keyset.arn}"
}

output "keyset_secret" {
  description = "The secret that takes the encrypted keyset."
  value       = aws_secretsmanager_secret.keyset.arn
}

output "worker_role" {
  description = "The role of the workers."
  value       = aws_iam_role.etl["worker"].arn
}

output "migrate_command" {
  description = "Run before a release: migrates the tables as their owner."
  value = join(" ", [
    "aws ecs run-task --cluster ${aws_ecs_cluster.etl.name} --launch-type FARGATE",
    "--task-definition ${aws_ecs_task_definition.etl["migrate"].family}",
    "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", var.private_subnet_ids)}],securityGroups=[${aws_security_group.workers.id}]}'",
  ])
}
