# Pushes that cross accounts. The registry's account sends them to the default buses of others: forward_pushes_to. Those
# let them in: the bus policy. EventBridge does not forward a forwarded event again.

locals {
  # A rule has at most five targets.
  forward_names = ["forward", "forward2", "forward3"]
  forward_rules = slice(local.forward_names, 0, min(3, ceil(length(local.forward_pushes_to) / 5)))
  ordinals = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
    "thirteenth", "fourteenth", "fifteenth",
  ]
  # The targets by their ids. The function's precondition refuses more than 15.
  forward_targets = {
    for i, bus in slice(local.forward_pushes_to, 0, min(15, length(local.forward_pushes_to))) :
    local.ordinals[i] => { bus = bus, rule = local.forward_names[floor(i / 5)] }
  }
}

resource "aws_cloudwatch_event_rule" "forward" {
  for_each = toset(local.forward_rules)

  name        = "${local.project}_deployer_${each.key}_${local.env}"
  description = "Image pushes for ${local.project} to other accounts."
  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Action", "ECR Replication Action"]
    account     = [local.account_id]
    region      = [local.region]
    detail = {
      action-type     = ["PUSH", "REPLICATE"]
      result          = ["SUCCESS"]
      repository-name = local.repository_names
      image-tag       = [{ exists = true }]
    }
  })
  tags = var.tags
}

resource "aws_cloudwatch_event_target" "forward" {
  for_each = local.forward_targets

  rule      = aws_cloudwatch_event_rule.forward[each.value.rule].name
  target_id = each.key
  arn       = each.value.bus
  role_arn  = aws_iam_role.forward[0].arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  depends_on = [aws_iam_role_policy.forward]
}

# A target in another account needs a role.
resource "aws_iam_role" "forward" {
  count = local.forwards ? 1 : 0

  name = local.name.forward
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        # By name, because the rules depend on this role.
        ArnEquals = {
          "aws:SourceArn" = [
            for name in local.forward_names :
            "arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${local.project}_deployer_${name}_${local.env}"
          ]
        }
      }
    }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy" "forward" {
  count = local.forwards ? 1 : 0

  name = "forward"
  role = aws_iam_role.forward[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = local.forward_pushes_to
    }]
  })
}

# The receiving side of another account's forward rule. Only AWS services can put events whose source begins with aws.,
# so these events are real pushes.
#
# A stack, because the provider has no resource for one statement with conditions: aws_cloudwatch_event_permission has
# none on the source, and aws_cloudwatch_event_bus_policy replaces the policy of the bus, which other projects and
# environments of the account share.
resource "aws_cloudformation_stack" "bus_policy" {
  count = local.receives_pushes ? 1 : 0

  name = replace("deployer-bus-${local.project}-${local.env}", "_", "-")
  template_body = jsonencode({
    Description = "Lets the default event bus accept image pushes for ${local.project} in ${local.env}."
    Resources = {
      RegistryBusPolicy = {
        Type = "AWS::Events::EventBusPolicy"
        Properties = {
          EventBusName = "default"
          StatementId  = local.function_name
          Statement = {
            Effect = "Allow"
            # The id of an account is short for the ARN of its root.
            Principal = { AWS = concat(local.is_cross_account ? [local.ecr_account_id] : [], local.extra_registry_accounts) }
            Action    = "events:PutEvents"
            Resource  = local.bus_arn
            Condition = {
              "ForAllValues:StringEquals" = {
                "events:source"      = "aws.ecr"
                "events:detail-type" = ["ECR Image Action", "ECR Replication Action"]
              }
              Null = { "events:source" = "false", "events:detail-type" = "false" }
            }
          }
        }
      }
    }
  })
  tags = var.tags
}
