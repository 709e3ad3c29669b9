# Pattern 3: every environment has its own registry.
#
# One environment at a time, with its own account's credentials and its own state:
#
#   terraform init -reconfigure -backend-config=dev.s3.tfbackend
#   terraform apply -var env=dev -var package=dist/dev/deployer.zip
#
# dev.s3.tfbackend has the bucket, key and region of dev's state.

terraform {
  required_version = ">= 1.5.7"
  backend "s3" {}

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

locals {
  environment_file = "${path.module}/../../../../examples/per-environment-ecr/${var.env}.yaml"
  environment      = yamldecode(file(local.environment_file))
}

provider "aws" {
  region              = local.environment.region
  allowed_account_ids = [local.environment.account_id]
}

# From another repository: source = "git::https://HOST/REPOSITORY//deploy/terraform?ref=vX.Y.Z"
module "deployer" {
  source = "../.."

  environment_file = local.environment_file
  package          = var.package
}

# The repositories of an environment with its own registry, with their policies.
resource "aws_cloudformation_stack" "registry" {
  count = length(var.registry_parameters) > 0 ? 1 : 0

  name          = "${replace(local.environment.project, "_", "-")}-registry-${replace(var.env, "_", "-")}"
  template_body = file("${path.module}/../../../registry.yaml")
  parameters    = var.registry_parameters
  capabilities  = ["CAPABILITY_AUTO_EXPAND"]
}
