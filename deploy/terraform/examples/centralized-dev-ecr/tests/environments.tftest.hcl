mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  package = "s3://artifacts/deployer.zip"
}

run "dev" {
  variables {
    env                 = "dev"
    registry_parameters = { Repositories = "myproject_backend" }
  }
  override_data {
    target = module.deployer.data.aws_caller_identity.current
    values = { account_id = "111111111111" }
  }

  assert {
    condition     = output.ecr_strategy == "local"
    error_message = "The strategy of dev is ${output.ecr_strategy}."
  }
  assert {
    condition     = contains(keys(module.deployer.rule_arns), "forward") == true
    error_message = "The rules of dev are ${join(", ", keys(module.deployer.rule_arns))}."
  }
  assert {
    condition     = contains(keys(module.deployer.rule_arns), "push") == true
    error_message = "The rules of dev are ${join(", ", keys(module.deployer.rule_arns))}."
  }
  assert {
    condition     = length(aws_cloudformation_stack.registry) == 1
    error_message = "dev has ${length(aws_cloudformation_stack.registry)} registries."
  }
}

run "staging" {
  variables {
    env = "staging"
  }
  override_data {
    target = module.deployer.data.aws_caller_identity.current
    values = { account_id = "222222222222" }
  }

  assert {
    condition     = output.ecr_strategy == "cross_account"
    error_message = "The strategy of staging is ${output.ecr_strategy}."
  }
  assert {
    condition     = contains(keys(module.deployer.rule_arns), "forward") == false
    error_message = "The rules of staging are ${join(", ", keys(module.deployer.rule_arns))}."
  }
  assert {
    condition     = contains(keys(module.deployer.rule_arns), "push") == true
    error_message = "The rules of staging are ${join(", ", keys(module.deployer.rule_arns))}."
  }
  assert {
    condition     = length(aws_cloudformation_stack.registry) == 0
    error_message = "staging has ${length(aws_cloudformation_stack.registry)} registries."
  }
}

run "prod" {
  variables {
    env = "prod"
  }
  override_data {
    target = module.deployer.data.aws_caller_identity.current
    values = { account_id = "333333333333" }
  }

  assert {
    condition     = output.ecr_strategy == "cross_account"
    error_message = "The strategy of prod is ${output.ecr_strategy}."
  }
  assert {
    condition     = contains(keys(module.deployer.rule_arns), "forward") == false
    error_message = "The rules of prod are ${join(", ", keys(module.deployer.rule_arns))}."
  }
  assert {
    condition     = contains(keys(module.deployer.rule_arns), "push") == false
    error_message = "The rules of prod are ${join(", ", keys(module.deployer.rule_arns))}."
  }
  assert {
    condition     = length(aws_cloudformation_stack.registry) == 0
    error_message = "prod has ${length(aws_cloudformation_stack.registry)} registries."
  }
}
