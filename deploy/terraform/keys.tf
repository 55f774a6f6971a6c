# Two locks on the keyset: it is encrypted by a KMS key before it becomes a secret, and the secret is encrypted by the
# same key. Whoever reads the secret has nothing without kms:Decrypt, which only the workers' role is given. The value
# itself is put there by a person (see README.md), so that it stands in no state file.

resource "aws_kms_key" "keyset" {
  description             = "${var.name}: encrypts the masking keyset"
  enable_key_rotation     = true # older versions still decrypt
  deletion_window_in_days = var.protected ? 30 : 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # IAM decides, as iam.tf says.
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "keyset" {
  name          = "alias/${var.name}-keyset"
  target_key_id = aws_kms_key.keyset.key_id
}

resource "aws_secretsmanager_secret" "keyset" {
  name                    = "${var.name}/keyset"
  description             = "Tink keyset of the masked columns, encrypted by the KMS key ${aws_kms_alias.keyset.name}"
  kms_key_id              = aws_kms_key.keyset.arn
  recovery_window_in_days = var.protected ? 30 : 0
}
