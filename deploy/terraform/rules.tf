# The rules on the account's default bus. To add one that invokes the function, add an entry to all_rules: its target, its
# permission and the policy of the dead-letter queue follow.

locals {
  cluster_arn = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:cluster/${local.cluster}"
  # Services of before 2019 may have an ARN without the cluster.
  service_arns = [
    "arn:${local.partition}:ecs:${local.region}:${local.account_id}:service/${local.cluster}/",
    "arn:${local.partition}:ecs:${local.region}:${local.account_id}:service/${local.project}_service_",
  ]
  # Extra repositories may have any name. A conditional would make texts of both objects' values.
  repository_names = [[{ prefix = "${local.project}_" }], [{ exists = true }]][length(local.extra.repositories) > 0 ? 1 : 0]

  # The default of 24 hours is too long: see maximum_event_age_in_seconds of the function.
  retry      = { seconds = 3600, attempts = 185 }
  retry_soon = { seconds = 300, attempts = 3 }

  all_rules = {
    # Requests of people and workflows. Every principal of this account with events:PutEvents can send them: restrict it
    # with the condition keys events:source and events:detail-type. Two projects in one account have the same sources,
    # unless deployer.deploy_sources differ: a DEPLOY that names its project reaches that project's deployer only.
    deploy = {
      exists      = true
      description = "DEPLOY events for ${local.project} in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        detail-type = ["DEPLOY"]
        source      = local.deploy_sources
        account     = concat([local.account_id], var.sender_accounts)
        # Absent, ours, or empty, which the function rejects. Another one never arrives here.
        detail = { project = [{ exists = false }, local.project, ""] }
      }
    }

    # Pushes. The function decides by the environment file which tags deploy, and which workloads use the repository. The
    # rule excludes only what can never deploy: pushes to another registry, another project's repositories, and images
    # without a tag, of which every multi-platform image has some. Without it, no push can deploy.
    push = {
      exists      = local.deploys_pushes
      description = "Image pushes for ${local.project} in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source = ["aws.ecr"]
        # A registry that receives an image by replication sends only the second.
        detail-type = ["ECR Image Action", "ECR Replication Action"]
        # Without account and region, the rule would also match events of other accounts that may send to this bus.
        account = local.push_accounts
        region  = local.push_regions
        detail = {
          action-type     = ["PUSH", "REPLICATE"]
          result          = ["SUCCESS"]
          repository-name = local.repository_names
          image-tag       = [{ exists = true }]
        }
      }
    }

    # The search for lost pushes.
    reconcile = {
      exists      = local.reconciles
      description = "Searches for lost image pushes for ${local.project} in ${local.env}."
      schedule    = "rate(${var.reconcile_minutes} minutes)"
      retry       = local.retry_soon # the next scheduled event comes soon
      pattern     = null
    }

    # ECS's events about rollouts of the cluster's services, including external deployments.
    rollout = {
      exists      = true
      description = "Rollouts of ${local.project}'s services in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Deployment State Change", "ECS Service Action"]
        account     = [local.account_id]
        region      = [local.region]
        resources   = [for arn in local.service_arns : { prefix = arn }]
        detail = {
          eventName = [
            "SERVICE_DEPLOYMENT_IN_PROGRESS",
            "SERVICE_DEPLOYMENT_COMPLETED",
            "SERVICE_DEPLOYMENT_FAILED",
            "SERVICE_TASK_START_IMPAIRED",
          ]
        }
      }
    }

    # The ends of tasks that schedules and rules started. AWS does not document how these begin startedBy; logs show it.
    run = {
      exists      = var.follow_first_runs && length(local.pointer_arns.schedule) + length(local.pointer_arns.rule) > 0
      description = "Ends of runs of ${local.project}'s tasks in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Task State Change"]
        account     = [local.account_id]
        region      = [local.region]
        detail = {
          lastStatus = ["STOPPED"]
          clusterArn = [local.cluster_arn]
          startedBy  = [{ prefix = "chronos-schedule/" }, { prefix = "events-rule/" }]
        }
      }
    }

    # ECS's events about lifecycle hooks. Their resource is a service deployment, hence the cluster's ARN in the detail.
    hook = {
      exists      = true
      description = "Pauses and failed hooks of deployments of ${local.project}'s services in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Hook State Change"]
        account     = [local.account_id]
        region      = [local.region]
        detail = {
          eventName  = ["HOOK_AWAITING_ACTION", "HOOK_FAILED", "HOOK_TIMED_OUT"]
          clusterArn = [local.cluster_arn]
        }
      }
    }

    # Changes of parameters, secrets and environment files. The function finds the services whose running revision refers
    # to exactly what changed, which no pattern can express: the rules match every change of the account and region.
    parameter = {
      exists      = contains(local.redeploy_on, "parameters")
      description = "Changed parameters, for services of ${local.project} in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source      = ["aws.ssm"]
        detail-type = ["Parameter Store Change"]
        account     = [local.account_id]
        region      = [local.region]
        detail      = { operation = ["Update"] }
      }
    }
    secret = {
      exists      = contains(local.redeploy_on, "secrets")
      description = "Changed secrets, for services of ${local.project} in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source      = ["aws.secretsmanager"]
        detail-type = ["Secret Label Updated", "AWS Service Event via CloudTrail"]
        account     = [local.account_id]
        region      = [local.region]
        # Absent in the first; of CloudTrail's events about secrets, only the end of a rotation.
        detail = { eventName = [{ exists = false }, "RotationSucceeded"] }
      }
    }
    file = {
      exists      = contains(local.redeploy_on, "env_files")
      description = "Changed environment files, for services of ${local.project} in ${local.env}."
      schedule    = null
      retry       = local.retry
      pattern = {
        source      = ["aws.s3"]
        detail-type = ["Object Created"]
        account     = [local.account_id]
        region      = [local.region]
        # ECS accepts no environment file with another extension.
        detail = { object = { key = [{ suffix = ".env" }] } }
      }
    }
  }
  rules = { for key, rule in local.all_rules : key => rule if rule.exists }
}

resource "aws_cloudwatch_event_rule" "function" {
  for_each = local.rules

  name                = "${local.project}_deployer_${each.key}_${local.env}"
  description         = each.value.description
  event_pattern       = each.value.pattern == null ? null : jsonencode(each.value.pattern)
  schedule_expression = each.value.schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "function" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.function[each.key].name
  target_id = "deployer"
  arn       = aws_lambda_function.deployer.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
  retry_policy {
    maximum_event_age_in_seconds = each.value.retry.seconds
    maximum_retry_attempts       = each.value.retry.attempts
  }

  # The first event may come before the permission otherwise.
  depends_on = [aws_lambda_permission.rule]
}

resource "aws_lambda_permission" "rule" {
  for_each = local.rules

  statement_id  = "${local.project}_deployer_${each.key}_${local.env}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.deployer.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.function[each.key].arn
}
