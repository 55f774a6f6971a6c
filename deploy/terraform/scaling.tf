# Workers in proportion to the backlog. What is in flight counts too: else a fleet that has taken the whole queue would
# look idle, and be sent home in the middle of its work.

resource "aws_appautoscaling_target" "workers" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.etl.name}/${aws_ecs_service.etl.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.workers.least
  max_capacity       = var.workers.most
}

resource "aws_appautoscaling_policy" "backlog" {
  name               = "${var.name}-backlog-per-worker"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.workers.service_namespace
  resource_id        = aws_appautoscaling_target.workers.resource_id
  scalable_dimension = aws_appautoscaling_target.workers.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_worker
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      metrics {
        id          = "backlog"
        label       = "Messages a worker, waiting or in flight"
        expression  = "(waiting + held) / IF(workers > 1, workers, 1)"
        return_data = true
      }

      dynamic "metrics" {
        for_each = {
          waiting = "ApproximateNumberOfMessagesVisible"
          held    = "ApproximateNumberOfMessagesNotVisible"
        }

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = "Average"

            metric {
              namespace   = "AWS/SQS"
              metric_name = metrics.value

              dimensions {
                name  = "QueueName"
                value = aws_sqs_queue.logins.name
              }
            }
          }
        }
      }

      metrics {
        id          = "workers"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.etl.name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.etl.name
            }
          }
        }
      }
    }
  }
}
