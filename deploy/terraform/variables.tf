variable "name" {
  description = "Prefix of every name, such as logins; a second deployment in the account needs another."
  type        = string
  default     = "logins"
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "image" {
  description = "The worker's image with its tag or digest."
  type        = string
}

variable "architecture" {
  description = "ARM64 or X86_64."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture is ARM64 or X86_64."
  }
}

variable "vpc_id" {
  description = "The VPC of workers and database."
  type        = string
}

variable "private_subnet_ids" {
  description = "Subnets in two zones or more, from which AWS's services are reached (a NAT gateway or VPC endpoints for sqs, kms, secretsmanager, logs and ecr)."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "RDS asks for subnets in at least two zones."
  }
}

variable "database_authority" {
  description = "PEM of the region's RDS authorities (https://truststore.pki.rds.amazonaws.com/REGION/REGION-bundle.pem): no public authority signs an RDS certificate."
  type        = string
}

variable "database_class" {
  description = "Instance class of the database; docs/SCALING.md has the arithmetic."
  type        = string
  default     = "db.m7g.large"
}

variable "database_storage_gib" {
  description = "Storage at first, and the most that it may grow to."
  type        = object({ initial = number, most = number })
  default     = { initial = 100, most = 1000 }
}

variable "protected" {
  description = "Keeps what cannot be made again: a standby for the database, no deletion of it, a last snapshot, days to recover key and secret. Off only where the data is worth nothing."
  type        = bool
  default     = true
}

variable "masking" {
  description = "The masking scheme; one that takes the keyset."
  type        = string
  default     = "aes-siv"

  validation {
    condition     = contains(["aes-siv", "hmac-sha256"], var.masking)
    error_message = "masking is aes-siv or hmac-sha256 here: the tasks are given a keyset."
  }
}

variable "workers" {
  description = "The fewest and the most tasks. The database decides how many are of use."
  type        = object({ least = number, most = number })
  default     = { least = 2, most = 10 }
}

variable "backlog_per_worker" {
  description = "Messages a task that target tracking aims at: a task's rate times the delay that is acceptable."
  type        = number
  default     = 20000
}

variable "spot" {
  description = "Run what exceeds the fewest tasks on Fargate Spot: a worker that is taken away loses nothing."
  type        = bool
  default     = true
}

variable "oldest_message_seconds" {
  description = "An alarm when a message has waited for longer."
  type        = number
  default     = 300
}

variable "alarm_actions" {
  description = "What alarms notify: ARNs of SNS topics."
  type        = list(string)
  default     = []
}
