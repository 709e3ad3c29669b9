# The function's role, and that of its schedules. ARNs of the module's own resources are built from names, so that a plan
# shows the policies before anything exists.

locals {
  failed_queue_arn = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.name.failed}"
  in_cluster       = { ArnEquals = { "ecs:cluster" = local.cluster_arn } }

  # The statements of the role's own policy; null for one that the environment does not need.
  statements = [
    # These two actions do not support resource-level permissions.
    {
      Sid      = "ReadTaskDefinitions"
      Effect   = "Allow"
      Action   = ["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"]
      Resource = "*"
    },
    # The journal is written as tags in the call that registers the revision, hence the condition. Any family, because the
    # condition limits it to a registration, which another statement allows or not.
    {
      Sid       = "TagTaskDefinitionsWhenRegistering"
      Effect    = "Allow"
      Action    = "ecs:TagResource"
      Resource  = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:task-definition/*"
      Condition = { StringEquals = { "ecs:CreateAction" = "RegisterTaskDefinition" } }
    },
    # All services of the environment's cluster, because deployer.workloads may give them any name.
    {
      Sid       = "UpdateServices"
      Effect    = "Allow"
      Action    = ["ecs:DescribeServices", "ecs:UpdateService"]
      Resource  = [for arn in local.service_arns : "${arn}*"]
      Condition = local.in_cluster
    },
    # The rolloutState of a deployment is that of a rolling update only: of the others, the status of the service
    # deployment says whether they succeeded. ECS's events about lifecycle hooks name one too. Describing one is
    # authorized on it and on its service. service-revision has the revision of a rollout that ECS no longer lists.
    {
      Sid    = "ReadServiceDeployments"
      Effect = "Allow"
      Action = ["ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions", "ecs:ListServiceDeployments"]
      Resource = concat(
        [for arn in local.service_arns : "${arn}*"],
        ["arn:${local.partition}:ecs:${local.region}:${local.account_id}:service-*/${local.cluster}/*"],
      )
      Condition = local.in_cluster
    },
    # Why tasks of a rollout stopped. ListTasks cannot be limited to a service's tasks, only to a cluster.
    {
      Sid       = "ListStoppedTasks"
      Effect    = "Allow"
      Action    = "ecs:ListTasks"
      Resource  = "*"
      Condition = local.in_cluster
    },
    {
      Sid       = "ReadStoppedTasks"
      Effect    = "Allow"
      Action    = "ecs:DescribeTasks"
      Resource  = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:task/${local.cluster}/*"
      Condition = local.in_cluster
    },
    # Outcomes. The condition on the source prevents the role from sending DEPLOY events. The keys are lists to IAM;
    # ForAllValues alone would also hold for empty ones.
    {
      Sid      = "PublishOutcomes"
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = local.bus_arn
      Condition = {
        "ForAllValues:StringEquals" = {
          "events:source" = "deployer"
          "events:detail-type" = [
            "Deployment Started", "Deployment Succeeded", "Deployment Failed", "Deployment Rejected",
            "Deployment Superseded", "Deployment Impaired", "Deployment Paused",
            "First Run Succeeded", "First Run Failed",
          ]
        }
        Null = { "events:source" = "false", "events:detail-type" = "false" }
      }
    },
    local.slack_parameter == "" ? null : {
      Sid      = "ReadWebhook"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = "arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter${local.slack_parameter}"
    },
    # SSM reads a secret with the caller's permissions. Secrets Manager appends six characters to the name.
    local.slack_secret == "" ? null : {
      Sid      = "ReadWebhookSecret"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = "arn:${local.partition}:secretsmanager:${local.region}:${local.account_id}:secret:${local.slack_secret}-??????"
    },
    local.topic_arn == "" ? null : {
      Sid      = "NotifyTopic"
      Effect   = "Allow"
      Action   = "sns:Publish"
      Resource = local.topic_arn
    },
    # Encrypted parameters, secrets, topics and queues, and nothing that the function would decrypt itself.
    length(var.kms_key_arns) == 0 ? null : {
      Sid       = "UseKeys"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = var.kms_key_arns
      Condition = { StringEquals = { "kms:ViaService" = [for service in ["ssm", "secretsmanager", "sns", "sqs"] : "${service}.${local.region}.${local.dns_suffix}"] } }
    },
    # For the function, and for Lambda's on-failure destination.
    {
      Sid      = "KeepFailedEvents"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = local.failed_queue_arn
    },
    # One-time schedules, see the retry group. What they do is limited by the role that they get.
    {
      Sid      = "ScheduleRetries"
      Effect   = "Allow"
      Action   = "scheduler:CreateSchedule"
      Resource = "arn:${local.partition}:scheduler:${local.region}:${local.account_id}:schedule/${local.name.retry}/*"
    },
    {
      Sid       = "PassRetryRole"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = "arn:${local.partition}:iam::${local.account_id}:role/${local.name.retry}"
      Condition = { StringEquals = { "iam:PassedToService" = "scheduler.amazonaws.com" } }
    },
    {
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/aws/lambda/${local.function_name}:*"
    },
    # X-Ray does not support resource-level permissions either.
    {
      Sid      = "WriteTraces"
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      Resource = "*"
    },
  ]

  # The policies of the lists, if these fit: see policies.tf.
  policy_names = local.is_large ? [] : concat(
    ["outcomes", "roles", "images"],
    local.first_roles < length(local.role_names) ? ["more_roles"] : [],
    local.has_pointers.schedule ? ["schedules"] : [],
    local.has_pointers.rule ? ["rules"] : [],
    length([
      for key, has in local.has_pointers : key if has && length(local.start_roles[key]) + length(var.extra_role_arns) > 0
    ]) > 0 ? ["starts", "checks"] : [],
  )
  start_role_arns = { for key, arns in local.start_roles : key => concat(arns, var.extra_role_arns) }

  register_statements = [
    local.is_large ? null : {
      Sid      = "RegisterTaskDefinitions"
      Effect   = "Allow"
      Action   = "ecs:RegisterTaskDefinition"
      Resource = local.family_arns
    },
    # The policies of a large environment have one list for all actions, because an ARN is in one of them only. The
    # conditions that they cannot have are here: which services the roles are passed to, and which tags are added after a
    # registration. Requests that lack the service or the target are denied, too.
    !local.is_large ? null : {
      Sid      = "DenyOtherServices"
      Effect   = "Deny"
      Action   = "iam:PassRole"
      Resource = "*"
      Condition = {
        StringNotEquals = {
          "iam:PassedToService" = ["ecs-tasks.amazonaws.com", "scheduler.amazonaws.com", "events.amazonaws.com"]
        }
      }
    },
    !local.is_large ? null : {
      Sid       = "DenyWithoutTarget"
      Effect    = "Deny"
      Action    = "events:PutTargets"
      Resource  = "*"
      Condition = { Null = { "events:TargetArn" = "true" } }
    },
    !local.is_large ? null : {
      Sid      = "DenyOtherTags"
      Effect   = "Deny"
      Action   = "ecs:TagResource"
      Resource = "*"
      Condition = {
        StringNotEquals               = { "ecs:CreateAction" = "RegisterTaskDefinition" }
        "ForAnyValue:StringNotEquals" = { "aws:TagKeys" = local.outcome_tags }
      }
    },
  ]
  # Later, only the tags of the rollout's outcome are added.
  outcome_tags = [
    "deployer:deployment", "deployer:outcome", "deployer:finished", "deployer:why", "deployer:return",
    "deployer:stopped", "deployer:hooks",
  ]
  # The statements of the managed policies, also of those that the environment does not need.
  managed_statements = {
    outcomes = [
      {
        Sid      = "NoteOutcomes"
        Effect   = "Allow"
        Action   = "ecs:TagResource"
        Resource = local.family_arns
        Condition = {
          "ForAllValues:StringEquals" = { "aws:TagKeys" = local.outcome_tags }
          Null                        = { "aws:TagKeys" = "false" }
        }
      },
    ]
    roles = [
      # A revision names its roles, and registering it passes them to ECS.
      {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = concat(slice(local.conventional.roles, 0, local.first_roles), local.extra.roles)
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
    more_roles = [
      # The end of a list that is too long for one policy.
      {
        Sid       = "PassMoreTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = slice(local.conventional.roles, local.first_roles, length(local.conventional.roles))
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
    images = [
      # Across accounts, the repository's policy has to allow this too. DescribeImages returns when an image was pushed,
      # which the search for lost pushes needs. GetDownloadUrlForLayer gives the configuration of an image that is not an
      # index, which has its platform.
      {
        Sid      = "FindImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
        Resource = local.repository_arns
      },
    ]
    schedules = [
      # A scheduled task runs what its schedule holds. UpdateSchedule replaces a schedule, so it is read before.
      {
        Sid      = "MoveSchedules"
        Effect   = "Allow"
        Action   = ["scheduler:GetSchedule", "scheduler:UpdateSchedule"]
        Resource = local.pointer_arns.schedule
      },
    ]
    rules = [
      # An event-processor task runs what the targets of its rules hold.
      {
        Sid      = "ReadRuleTargets"
        Effect   = "Allow"
        Action   = "events:ListTargetsByRule"
        Resource = local.pointer_arns.rule
      },
      # Only targets that start tasks in the environment's cluster.
      {
        Sid       = "MoveRuleTargets"
        Effect    = "Allow"
        Action    = "events:PutTargets"
        Resource  = local.pointer_arns.rule
        Condition = { ArnEquals = { "events:TargetArn" = local.cluster_arn } }
      },
    ]
    starts = [
      # UpdateSchedule passes the role that starts the task again.
      !local.has_pointers.schedule || length(local.start_role_arns.schedule) == 0 ? null : {
        Sid       = "PassScheduleRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = local.start_role_arns.schedule
        Condition = { StringEquals = { "iam:PassedToService" = "scheduler.amazonaws.com" } }
      },
      # PutTargets passes the role that starts the task again.
      !local.has_pointers.rule || length(local.start_role_arns.rule) == 0 ? null : {
        Sid       = "PassRuleRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = local.start_role_arns.rule
        Condition = { StringEquals = { "iam:PassedToService" = "events.amazonaws.com" } }
      },
    ]
    checks = [
      # A role that may not start a task's new revision would be denied silently: IAM is asked before the first move.
      {
        Sid      = "CheckPointerRoles"
        Effect   = "Allow"
        Action   = "iam:SimulatePrincipalPolicy"
        Resource = distinct(concat(local.start_role_arns.schedule, local.start_role_arns.rule))
      },
    ]
  }
  # The policies of a large environment. An ARN is in one of them only, and each action applies to its own kind of ARN.
  # The condition is about PutTargets: other actions do not have the key.
  resource_statements = {
    for name, arns in local.resource_arns : name => [
      {
        Sid    = "UseResources"
        Effect = "Allow"
        Action = [
          "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer", "ecs:RegisterTaskDefinition",
          "ecs:TagResource", "events:ListTargetsByRule", "events:PutTargets", "iam:PassRole",
          "iam:SimulatePrincipalPolicy", "scheduler:GetSchedule", "scheduler:UpdateSchedule",
        ]
        Resource  = arns
        Condition = { ArnEqualsIfExists = { "events:TargetArn" = local.cluster_arn } }
      },
    ]
  }
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in concat(local.statements, local.register_statements) : statement if statement != null]
  })
  managed_policies = {
    for name, statements in merge(
      { for name in local.policy_names : name => local.managed_statements[name] },
      local.resource_statements,
      ) : name => jsonencode({
        Version   = "2012-10-17"
        Statement = [for statement in statements : statement if statement != null]
    })
  }
}

resource "aws_iam_role" "deployer" {
  name = local.function_name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
  tags = var.tags

  lifecycle {
    precondition {
      condition     = local.fits
      error_message = "The names of the workloads of ${var.environment_file} do not fit into the policies of the deployer's role: it would need more than the ${local.max_policies} managed policies that IAM accepts. Give some of the workloads an environment of their own, or accept name patterns, which also match names of neighbours (deployer validate ${var.environment_file} says which, and what to write)."
    }
  }
}

resource "aws_iam_role_policy" "deployer" {
  name   = "deployer"
  role   = aws_iam_role.deployer.name
  policy = local.policy

  lifecycle {
    precondition {
      condition     = length(local.policy) <= local.max_policy
      error_message = "The policy of the deployer's role would have ${length(local.policy)} characters, and IAM accepts ${local.max_policy}: shorten the name of the cluster, the topic or the webhook's parameter, or name fewer keys."
    }
  }
  # What left this policy in an update is attached before.
  depends_on = [aws_iam_role_policy_attachment.deployer]
}

# The lists of ARNs are in policies of their own, each with at most 6,144 characters, of which a role can have ten.
resource "aws_iam_policy" "deployer" {
  for_each = local.managed_policies
  name     = "${local.project}_deployer_${each.key}_${local.env}"
  policy   = each.value
  tags     = var.tags

  lifecycle {
    precondition {
      condition     = length(each.value) <= local.max_managed
      error_message = "The policy ${each.key} of the deployer's role would have ${length(each.value)} characters, and IAM accepts ${local.max_managed}: name fewer roles in extra_role_arns."
    }
  }
}

resource "aws_iam_role_policy_attachment" "deployer" {
  for_each   = local.managed_policies
  role       = aws_iam_role.deployer.name
  policy_arn = aws_iam_policy.deployer[each.key].arn
}

# What a schedule may do: invoke the function, and keep the event if that is not possible.
resource "aws_iam_role" "retry" {
  name = local.name.retry
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnEquals    = { "aws:SourceArn" = aws_scheduler_schedule_group.retry.arn }
      }
    }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy" "retry" {
  name = "retry"
  role = aws_iam_role.retry.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in [
        {
          Sid      = "InvokeFunction"
          Effect   = "Allow"
          Action   = "lambda:InvokeFunction"
          Resource = local.function_arn
        },
        {
          Sid      = "KeepFailedEvents"
          Effect   = "Allow"
          Action   = "sqs:SendMessage"
          Resource = local.failed_queue_arn
        },
        length(var.kms_key_arns) == 0 ? null : {
          Sid       = "UseKeys"
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = var.kms_key_arns
          Condition = { StringEquals = { "kms:ViaService" = "sqs.${local.region}.${local.dns_suffix}" } }
        },
      ] : statement if statement != null
    ]
  })
}
