# The deployer of one environment: the same resources as deploy/template.yaml, with the same names. A test compares the
# two. What follows from the environment file is in environment.tf.

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = local.file_account_id == "" || self.account_id == local.file_account_id
      error_message = "The credentials are of account ${self.account_id}, and ${var.environment_file} is of account ${local.file_account_id}: use credentials of the environment's own account."
    }
  }
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.region == local.region
      error_message = "The provider's region is ${self.region}, and ${var.environment_file} is of ${local.region}: set region in provider \"aws\" to it."
    }
  }
}

data "aws_partition" "current" {}

locals {
  # How many resources there are must be known in a plan, also if depends_on of the module delays the data sources. The
  # file's account is that of the credentials, which the data source checks.
  account_id = local.file_account_id != "" ? local.file_account_id : data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix

  # Names of rules and roles have at most 64 characters. The keys of rules and alarms are in their names.
  name = {
    for part in ["failed", "forward", "retry", "undelivered"] : part => "${local.project}_deployer_${part}_${local.env}"
  }
  function_name = "${local.project}_deployer_${local.env}"
  function_arn  = "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${local.function_name}"
  bus_arn       = "arn:${local.partition}:events:${local.region}:${local.account_id}:event-bus/default"
  s3            = try(regex("^s3://(?P<bucket>[^/]+)/(?P<key>.+)$", var.package), null)
}

resource "aws_lambda_function" "deployer" {
  function_name     = local.function_name
  description       = "Deploys ${local.project} to ${local.env}."
  filename          = local.s3 == null ? var.package : null
  source_code_hash  = local.s3 == null ? filebase64sha256(var.package) : null
  s3_bucket         = try(local.s3.bucket, null)
  s3_key            = try(local.s3.key, null)
  s3_object_version = var.package_version
  runtime           = "provided.al2023"
  architectures     = ["arm64"]
  handler           = "bootstrap"
  # A deployment takes about a second. The rest is for throttling: after 20 registrations, ECS accepts one task
  # definition a second, and a push of an image that many services share has to wait.
  timeout = 240
  # Memory determines the share of the processor that an event gets.
  memory_size                    = 256
  reserved_concurrent_executions = var.reserved_concurrency
  role                           = aws_iam_role.deployer.arn
  tags                           = var.tags

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.deployer.name
  }

  environment {
    variables = {
      # Relative to the function's code.
      DEPLOYER_ENVIRONMENT_FILE = "environment.yaml"
      # The function does not start with the file of another project or environment.
      DEPLOYER_PROJECT = local.project
      DEPLOYER_ENV     = local.env
      # The journals of revisions name the role, because tags can be copied.
      DEPLOYER_ROLE = aws_iam_role.deployer.name
      # Where the function keeps rejected events, and those whose rollout failed.
      DEPLOYER_FAILED_QUEUE = aws_sqs_queue.failed.url
      # How the function gets an event again whose image is still being replicated.
      DEPLOYER_RETRY_GROUP = aws_scheduler_schedule_group.retry.name
      DEPLOYER_RETRY_ROLE  = aws_iam_role.retry.arn
    }
  }

  lifecycle {
    precondition {
      condition     = local.strategy == "local" || local.ecr_account_id != ""
      error_message = "No ECR repository found: the strategy of ${var.environment_file} is cross_account, but ecr_account_id is not set (add the line: ecr_account_id: \"123456789012\", the account that owns the images)."
    }
    precondition {
      condition     = local.strategy == "local" || local.ecr_account_region != ""
      error_message = "No ECR repository found: the strategy of ${var.environment_file} is cross_account, but ecr_account_region is not set (add the line: ecr_account_region: \"us-east-1\", the region of that account's registry)."
    }
    precondition {
      condition     = length(local.not_texts) == 0
      error_message = "Quote ${join(", ", local.not_texts)} in ${var.environment_file}: YAML takes it for a number, a boolean or a date, which Terraform writes in another way."
    }
    precondition {
      condition     = length(local.unresolved) == 0
      error_message = "ecr_config of ${join(", ", local.unresolved)} in ${var.environment_file} names no workload with a repository of its own: deployer validate ${var.environment_file}"
    }
    precondition {
      condition     = length(local.forward_pushes_to) <= 15
      error_message = "Pushes would be forwarded to ${length(local.forward_pushes_to)} event buses, and the rules forward to 15 at most: name those where pushes deploy in forward_pushes_to."
    }
  }

  # The first event may come before the role's policies otherwise.
  depends_on = [aws_iam_role_policy.deployer, aws_iam_role_policy_attachment.deployer]
}

resource "aws_lambda_function_event_invoke_config" "deployer" {
  function_name = aws_lambda_function.deployer.function_name
  # Lambda retries after one and after two more minutes what failed for a reason that can pass: AWS throttled or did not
  # answer, or a permission is missing. An image that is not replicated yet is no error: see the retry group.
  maximum_retry_attempts = 2
  # An event that could not be handled for an hour goes to the queue, for a person to decide whether it still applies.
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed.arn
    }
  }
}

# Without this resource, the function creates a log group that never expires.
resource "aws_cloudwatch_log_group" "deployer" {
  name = "/aws/lambda/${local.function_name}"
  # Covers deployments of the last quarter. Revisions keep their journal for longer.
  retention_in_days = 90
  tags              = var.tags
}

# An event may come before its image, if ECR replicates it. Then the function makes a one-time schedule, which invokes
# it with the same event again: after one minute at first, and for 30 minutes. A schedule deletes itself. The group has
# no schedules, and costs nothing, while no event waits.
resource "aws_scheduler_schedule_group" "retry" {
  name = local.name.retry
  tags = var.tags
}
