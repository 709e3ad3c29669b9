# Events that EventBridge could not deliver to a target: no permission, or throttled for an hour.
resource "aws_sqs_queue" "undelivered" {
  name = local.name.undelivered
  # The maximum, 14 days.
  message_retention_seconds = 1209600
  # Keys of SQS. With a key of KMS, EventBridge would need a grant in the key's policy.
  sqs_managed_sse_enabled = true
  tags                    = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AllowTheRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.undelivered.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = concat(
              [for key in keys(local.rules) : aws_cloudwatch_event_rule.function[key].arn],
              [for key in local.forward_rules : aws_cloudwatch_event_rule.forward[key].arn],
            )
          }
        }
      },
      # A policy of this account could allow anyone to send to the queue. Its messages are run again, so they have to
      # come from EventBridge.
      {
        Sid       = "DenyAllButServices"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.undelivered.arn
        Condition = { Bool = { "aws:PrincipalIsAWSService" = "false" } }
      },
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.undelivered.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Events that the function rejected, and those whose rollout failed: it sends them itself. Events that it failed on
# after all retries, with the error: Lambda sends them with the function's role. Events that waited and that no schedule
# could deliver: EventBridge Scheduler sends them with the role of the schedules. No rule leads here: every principal
# with events:PutEvents could make its own message, which `deployer redrive` would run with an operator's permissions.
resource "aws_sqs_queue" "failed" {
  name                      = local.name.failed
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "failed" {
  queue_url = aws_sqs_queue.failed.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyAllButTheFunction"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.failed.arn
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = [aws_iam_role.deployer.arn, aws_iam_role.retry.arn] } }
      },
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.failed.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
