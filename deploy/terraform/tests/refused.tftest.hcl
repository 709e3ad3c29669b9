# What the module refuses before anything is created.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  environment_file = "../../examples/centralized-dev-ecr/dev.yaml"
  package          = "s3://artifacts/deployer.zip"
}

run "account_id_without_quotes" {
  command = plan
  variables {
    environment_file = "tests/files/account-without-quotes.yaml"
  }
  expect_failures = [var.environment_file]
}

run "trusted_account_id_without_quotes" {
  command = plan
  variables {
    environment_file = "tests/files/trusted-account-without-quotes.yaml"
  }
  expect_failures = [var.environment_file]
}

run "merge_after_a_key" {
  command = plan
  variables {
    environment_file = "tests/files/merge-after-a-key.yaml"
  }
  expect_failures = [var.environment_file]
}

run "name_without_quotes" {
  command = plan
  variables {
    environment_file = "tests/files/name-without-quotes.yaml"
  }
  expect_failures = [aws_lambda_function.deployer]
}

run "unknown_strategy" {
  command = plan
  variables {
    environment_file = "tests/files/unknown-strategy.yaml"
  }
  expect_failures = [var.environment_file]
}

run "no_environment_file" {
  command = plan
  variables {
    environment_file = "tests/files/none.yaml"
  }
  # The module reads the file too.
  expect_failures = [var.environment_file]
}

run "cross_account_without_registry" {
  command = plan
  variables {
    environment_file = "tests/files/cross-account-without-registry.yaml"
  }
  expect_failures = [aws_lambda_function.deployer]
}

run "credentials_of_another_account" {
  command = plan
  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "444444444444" }
  }
  expect_failures = [data.aws_caller_identity.current]
}

run "provider_in_another_region" {
  command = plan
  override_data {
    target = data.aws_region.current
    values = { region = "eu-west-1" }
  }
  expect_failures = [data.aws_region.current]
}

run "package_that_is_not_there" {
  command = plan
  variables {
    package = "dist/none.zip"
  }
  expect_failures = [var.package]
}

run "too_many_buses" {
  command = plan
  variables {
    forward_pushes_to = [for i in range(16) : "arn:aws:events:us-east-1:${222222222200 + i}:event-bus/default"]
  }
  expect_failures = [var.forward_pushes_to]
}

run "sender_that_is_no_account" {
  command = plan
  variables {
    sender_accounts = ["12345"]
  }
  expect_failures = [var.sender_accounts]
}

run "minutes_that_no_rule_has" {
  command = plan
  variables {
    reconcile_minutes = 7
  }
  expect_failures = [var.reconcile_minutes]
}

run "names_that_do_not_fit" {
  command = plan
  variables {
    environment_file = "tests/files/too-many-services.yaml"
  }
  expect_failures = [aws_iam_role.deployer]
}
