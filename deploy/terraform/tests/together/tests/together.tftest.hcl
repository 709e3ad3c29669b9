mock_provider "aws" {
  alias  = "other"
  source = "../aws"
}

run "plan" {
  command = plan
  assert {
    condition = jsonencode(output.rules) == jsonencode({
      eu = ["deploy", "forward", "hook", "push", "reconcile", "rollout", "run"]
      qa = ["deploy", "hook", "push", "reconcile", "rollout"]
    })
    error_message = jsonencode(output.rules)
  }
}

run "apply" {
  assert {
    condition     = jsonencode(output.function_names) == jsonencode(["myproject_deployer_dev", "myproject_deployer_eu", "myproject_deployer_qa"])
    error_message = jsonencode(output.function_names)
  }
}
