# Which rules and rights an environment gets by its strategy.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  package = "s3://artifacts/deployer.zip"
}

run "local" {
  command = plan

  variables {
    environment_file = "../../examples/centralized-dev-ecr/dev.yaml"
  }

  assert {
    condition     = output.ecr_strategy == "local"
    error_message = "The strategy is ${output.ecr_strategy}."
  }
  assert {
    condition     = output.registry == { account_id = "111111111111", region = "us-east-1" }
    error_message = "The registry is not the account's own: ${jsonencode(output.registry)}"
  }
  assert {
    condition     = keys(aws_cloudwatch_event_rule.function) == ["deploy", "hook", "push", "reconcile", "rollout"]
    error_message = "The rules are ${join(", ", keys(aws_cloudwatch_event_rule.function))}."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.function["push"].event_pattern).account == ["111111111111"]
    error_message = "Pushes of another account match: ${aws_cloudwatch_event_rule.function["push"].event_pattern}"
  }
  assert {
    condition     = length(aws_cloudformation_stack.bus_policy) == 0
    error_message = "The bus accepts events of other accounts, though no image comes from one."
  }
}

run "cross_account" {
  command = plan

  variables {
    environment_file = "../../examples/centralized-dev-ecr/staging.yaml"
  }
  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "222222222222" }
  }

  assert {
    condition     = output.ecr_strategy == "cross_account"
    error_message = "The strategy is ${output.ecr_strategy}."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.function["push"].event_pattern).account == ["111111111111"]
    error_message = "Not the pushes of dev's account match: ${aws_cloudwatch_event_rule.function["push"].event_pattern}"
  }
  assert {
    condition     = jsondecode(aws_cloudformation_stack.bus_policy[0].template_body).Resources.RegistryBusPolicy.Properties.Statement.Principal.AWS == ["111111111111"]
    error_message = "Not dev's account may send to the bus: ${aws_cloudformation_stack.bus_policy[0].template_body}"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.deployer["images"].policy).Statement : statement.Resource[0]
      if statement.Sid == "FindImages"
    ] == ["arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"]
    error_message = "The role may not read dev's images: ${aws_iam_policy.deployer["images"].policy}"
  }
}

run "cross_account_production" {
  command = plan

  variables {
    environment_file = "../../examples/centralized-dev-ecr/prod.yaml"
  }
  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "333333333333" }
  }

  assert {
    condition     = keys(aws_cloudwatch_event_rule.function) == ["deploy", "hook", "rollout"]
    error_message = "A push or a schedule reaches production: ${join(", ", keys(aws_cloudwatch_event_rule.function))}"
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.function["deploy"].event_pattern).source == ["action.prod", "action.production"]
    error_message = "DEPLOY events of other sources match: ${aws_cloudwatch_event_rule.function["deploy"].event_pattern}"
  }
  assert {
    condition     = length(aws_cloudformation_stack.bus_policy) == 0
    error_message = "Dev's account may send to production's bus."
  }
}

run "isolated_production" {
  command = plan

  variables {
    environment_file = "../../examples/isolated-production-ecr/prod.yaml"
  }
  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "333333333333" }
  }

  assert {
    condition     = output.ecr_strategy == "local"
    error_message = "The strategy is ${output.ecr_strategy}."
  }
  assert {
    condition     = !strcontains(join(" ", concat([aws_iam_role_policy.deployer.policy], values(aws_iam_policy.deployer)[*].policy)), "111111111111")
    error_message = "Production's role has rights in dev's account: ${join(" ", concat([aws_iam_role_policy.deployer.policy], values(aws_iam_policy.deployer)[*].policy))}"
  }
}

run "derived" {
  command = plan

  variables {
    environment_file = "tests/files/without-strategy.yaml"
  }

  assert {
    condition     = output.ecr_strategy == "cross_account"
    error_message = "The strategy is ${output.ecr_strategy}."
  }
  assert {
    condition     = output.registry == { account_id = "012345670123", region = "eu-west-1" }
    error_message = "The account id lost its zero: ${jsonencode(output.registry)}"
  }
}
