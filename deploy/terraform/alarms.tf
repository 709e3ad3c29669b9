# To add an alarm, add an entry to all_alarms.

locals {
  of_function    = { FunctionName = aws_lambda_function.deployer.function_name }
  of_environment = { Project = local.project, Environment = local.env }

  all_alarms = {
    # A rejected event is the sender's fault and no error of the function. Errors are faults of AWS or of the environment,
    # and a single one needs attention.
    errors = {
      description = "A deployment failed with an error that a retry may fix. See the function's log."
      metric      = "AWS/Lambda Errors"
      dimensions  = local.of_function
    }
    throttles = {
      description = "Deployments are delayed: the account's concurrent Lambda executions are used up."
      metric      = "AWS/Lambda Throttles"
      dimensions  = local.of_function
    }
    undelivered = {
      description = "An event was not delivered. The message attributes ERROR_CODE and ERROR_MESSAGE have the cause. Look, then run it again: deployer redrive."
      metric      = "AWS/SQS ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.undelivered.name }
      statistic   = "Maximum"
    }
    failed = {
      description = "An event was rejected, a rollout failed, or an event failed after all retries. The message has the event and the cause. Look, and run it again: deployer redrive. A failed rollout is not repeated: the command prints what to send instead."
      metric      = "AWS/SQS ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.failed.name }
      statistic   = "Maximum"
    }
    rollouts = {
      description = "A rollout failed. The function's log and the failure queue have the cause."
      metric      = "Deployer Deployments"
      dimensions  = merge(local.of_environment, { Outcome = "Failed" })
    }
    # Without a circuit breaker no other event follows, so this is the only alarm of a rollout that never ends.
    impaired = {
      description = "A rollout has not ended, and its tasks do not start or a lifecycle hook failed. See why: deployer history. Roll back: deployer rollback."
      metric      = "Deployer Deployments"
      dimensions  = merge(local.of_environment, { Outcome = "Impaired" })
    }
    rejected = {
      description = "An event was rejected. The function's log and the failure queue have the cause; its sender is not notified."
      metric      = "Deployer Rejected"
      dimensions  = local.of_environment
    }
    reconcile = {
      exists       = local.reconciles
      description  = "No search for lost pushes has run for an hour or more. It notifies when it changes to INSUFFICIENT_DATA, in which it also begins: so it is silent after an install, until the first search."
      metric       = "Deployer Reconciled"
      dimensions   = local.of_environment
      period       = 3600
      evaluations  = var.reconcile_minutes == 60 ? 2 : 1
      comparison   = "LessThanThreshold"
      missing      = "missing"
      insufficient = local.alarm_actions
    }
  }
  alarms        = { for key, alarm in local.all_alarms : key => alarm if try(alarm.exists, true) }
  alarm_actions = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
}

# One occurrence within five minutes, unless an entry says otherwise.
resource "aws_cloudwatch_metric_alarm" "deployer" {
  for_each = local.alarms

  alarm_name                = "${local.project}_deployer_${each.key}_${local.env}"
  alarm_description         = each.value.description
  namespace                 = split(" ", each.value.metric)[0]
  metric_name               = split(" ", each.value.metric)[1]
  dimensions                = each.value.dimensions
  statistic                 = try(each.value.statistic, "Sum")
  period                    = try(each.value.period, 300)
  evaluation_periods        = try(each.value.evaluations, 1)
  threshold                 = 1
  comparison_operator       = try(each.value.comparison, "GreaterThanOrEqualToThreshold")
  treat_missing_data        = try(each.value.missing, "notBreaching")
  alarm_actions             = local.alarm_actions
  insufficient_data_actions = try(each.value.insufficient, [])
  tags                      = var.tags
}

resource "aws_cloudwatch_dashboard" "deployer" {
  dashboard_name = local.function_name
  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    project           = local.project
    env               = local.env
    region            = local.region
    failed_queue      = aws_sqs_queue.failed.name
    undelivered_queue = aws_sqs_queue.undelivered.name
    function          = aws_lambda_function.deployer.function_name
    log_group         = aws_cloudwatch_log_group.deployer.name
  })
}
