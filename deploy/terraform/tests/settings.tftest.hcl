# The variables that an environment file does not decide. They are applied, with a mock of AWS.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  environment_file = "../../examples/centralized-dev-ecr/dev.yaml"
  package          = "s3://artifacts/deployer.zip"
}

run "package_in_s3" {
  variables {
    package         = "s3://artifacts/releases/deployer.zip"
    package_version = "abc"
  }

  assert {
    condition     = aws_lambda_function.deployer.s3_bucket == "artifacts" && aws_lambda_function.deployer.s3_key == "releases/deployer.zip" && aws_lambda_function.deployer.s3_object_version == "abc"
    error_message = "The function's code is not s3://artifacts/releases/deployer.zip in version abc."
  }
}

run "package_in_a_file" {
  variables {
    package = "main.tf" # any file
  }

  assert {
    condition     = aws_lambda_function.deployer.filename == "main.tf" && aws_lambda_function.deployer.source_code_hash == filebase64sha256("main.tf")
    error_message = "The function's code is not the file, or a change of it is not noticed."
  }
}

run "pushes_are_forwarded" {
  variables {
    forward_pushes_to = [for i in range(7) : "arn:aws:events:us-east-1:${222222222200 + i}:event-bus/default"]
  }

  assert {
    condition     = keys(aws_cloudwatch_event_rule.forward) == ["forward", "forward2"] && length(aws_cloudwatch_event_target.forward) == 7
    error_message = "Seven buses need two rules and seven targets."
  }
  assert {
    condition     = aws_cloudwatch_event_target.forward["sixth"].rule == "myproject_deployer_forward2_dev"
    error_message = "A rule has at most five targets."
  }
  assert {
    condition     = jsonencode(jsondecode(aws_iam_role_policy.forward[0].policy).Statement[0].Resource) == jsonencode(var.forward_pushes_to)
    error_message = "The role may send to other buses: ${aws_iam_role_policy.forward[0].policy}"
  }
}

run "nothing_is_forwarded" {
  assert {
    condition     = length(aws_cloudwatch_event_rule.forward) == 0 && length(aws_iam_role.forward) == 0
    error_message = "Pushes are forwarded, though no bus is named."
  }
}

run "no_search" {
  variables {
    reconcile_minutes = 0
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_event_rule.function), "reconcile") && !contains(keys(aws_cloudwatch_metric_alarm.deployer), "reconcile")
    error_message = "There is a schedule, or an alarm of one."
  }
}

run "alarms_notify" {
  variables {
    alarm_topic_arn = "arn:aws:sns:us-east-1:111111111111:alarms"
    tags            = { team = "platform" }
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.deployer : alarm.alarm_actions == toset([var.alarm_topic_arn])])
    error_message = "An alarm does not notify the topic."
  }
  assert {
    condition     = aws_sqs_queue.failed.tags == tomap({ team = "platform" })
    error_message = "The queue lacks the tags."
  }
}
