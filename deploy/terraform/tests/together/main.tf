# The module several times in one configuration: in one account, with a provider of another name, for a list of
# environments, and after other resources.

terraform {
  required_version = ">= 1.5.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

provider "aws" {
  alias  = "other"
  region = "us-east-1"
}

module "dev" {
  source    = "../.."
  providers = { aws = aws.other }

  environment_file = "${path.root}/dev.yaml"
  package          = "${path.root}/dev.yaml" # any file
}

# What the data sources read is not known in the plan, because the module has to wait for another resource.
module "others" {
  source     = "../.."
  for_each   = toset(["eu", "qa"])
  providers  = { aws = aws.other }
  depends_on = [terraform_data.before]

  environment_file  = "${path.root}/${each.key}.yaml"
  package           = "s3://artifacts/deployer/${each.key}.zip"
  package_version   = "1"
  follow_first_runs = true
}

resource "terraform_data" "before" {}

output "function_names" {
  value = concat([module.dev.function_name], [for other in module.others : other.function_name])
}

output "rules" {
  value = { for key, other in module.others : key => sort(keys(other.rule_arns)) }
}
