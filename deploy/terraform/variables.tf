variable "environment_file" {
  description = "The path of the environment file, such as project/dev.yaml. The package must contain the same file."
  type        = string

  validation {
    condition     = fileexists(var.environment_file)
    error_message = "There is no environment file ${var.environment_file}: name it from the directory in which terraform runs, or with $${path.root}."
  }
  # Terraform lets merged keys replace those before them, and merges one mapping: the deployer, which follows YAML, does
  # neither. If the merge key is the first of its mapping, both read the same.
  validation {
    condition = alltrue(flatten([
      for lines in [[
        for line in split("\n", replace(try(file(var.environment_file), ""), "\r", "")) :
        line if !can(regex("^(---|%| *(#|$))", line))
        ]] : [
        for i, line in lines :
        !can(regex(",\\s*<<\\s*:", line)) && !can(regex("(^|[\\s{])<<\\s*:\\s*(\\[|#|$)", line)) && !(
          i > 0 && can(regex("^ *<<\\s*:", line)) && (
            try(length(regex("^[ -]*", lines[i - 1])) >= length(regex("^ *", line)), false) ||
            can(regex(",\\s*(#.*)?$", lines[i - 1]))
          )
        )
      ]
    ]))
    error_message = "In ${var.environment_file}, write each merge key (<<) as the first key of its mapping, with a single alias: Terraform lets what is merged replace the keys before it, and the deployer does not."
  }
  validation {
    condition     = !fileexists(var.environment_file) || can(keys(yamldecode(file(var.environment_file))))
    error_message = "The environment file ${var.environment_file} is not YAML with keys and values: deployer validate ${var.environment_file}"
  }
  # A template of Terraform shows no type, but JSON has quotes around a string.
  validation {
    condition = alltrue([
      for key in ["project", "env", "region"] :
      try(can(regex("^\".+\"$", jsonencode(yamldecode(file(var.environment_file))[key]))), false)
    ]) || !can(keys(yamldecode(file(var.environment_file))))
    error_message = "The environment file ${var.environment_file} needs project, env and region, each a text: quote what YAML takes for a number or a boolean (deployer validate ${var.environment_file})."
  }
  validation {
    condition     = length(try(tostring(yamldecode(file(var.environment_file)).project), "")) <= 30 && length(try(tostring(yamldecode(file(var.environment_file)).env), "")) <= 14
    error_message = "project of ${var.environment_file} may have 30 characters and env 14, because names of rules and roles contain both: choose shorter ones."
  }
  # YAML reads 012345670123 without quotes as a number, and the number as 12345670123: the zero is lost.
  validation {
    condition = alltrue([
      for id in concat(
        [for key in ["account_id", "ecr_account_id"] : try(yamldecode(file(var.environment_file))[key], null)],
        [for trusted in try(yamldecode(file(var.environment_file)).ecr_trusted_accounts[*], []) : try(trusted.account_id, null)],
      ) : id == null || can(regex("^\"([0-9]{12})?\"$", jsonencode(id)))
    ])
    error_message = "An account id of ${var.environment_file} is not a text of 12 digits: quote it, as in account_id: \"012345670123\". YAML takes digits without quotes for a number, which has no leading zeros. The ids are account_id, ecr_account_id, and account_id in ecr_trusted_accounts."
  }
  validation {
    condition     = contains(["", "local", "cross_account"], try(yamldecode(file(var.environment_file)).ecr_strategy == null ? "" : yamldecode(file(var.environment_file)).ecr_strategy, ""))
    error_message = "ecr_strategy of ${var.environment_file} is neither local nor cross_account: write one of them, or leave the key out."
  }
}

variable "package" {
  description = "The function's package from `make package` or a release: the path of a zip, or s3://BUCKET/KEY. It has the environment file in it."
  type        = string

  validation {
    condition     = startswith(var.package, "s3://") ? can(regex("^s3://[a-z0-9.-]{3,63}/.+$", var.package)) : fileexists(var.package)
    error_message = "There is no package ${var.package}: name a zip (make package file=project/dev.yaml writes dist/deployer.zip), or an object as s3://BUCKET/KEY."
  }
}

variable "package_version" {
  description = "The version of the S3 object. Without it, Terraform does not see that the object under the same key changed."
  type        = string
  default     = null
}

variable "sender_accounts" {
  description = "Other accounts whose DEPLOY events are accepted. The policy of the bus has to let them in too: deployer policy bus."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.sender_accounts : can(regex("^[0-9]{12}$", id))])
    error_message = "sender_accounts must have account ids of 12 digits, each in quotes: quote it, as in \"012345670123\"."
  }
}

variable "reconcile_minutes" {
  description = "How often, in minutes, to search for pushes whose events were lost: 5, 10, 15, 30 or 60. 0 turns the search off."
  type        = number
  default     = 15
  nullable    = false

  validation {
    condition     = contains([0, 5, 10, 15, 30, 60], var.reconcile_minutes)
    error_message = "reconcile_minutes must be 0, 5, 10, 15, 30 or 60."
  }
}

variable "follow_first_runs" {
  description = "Whether the end of the first run of a task's new revision is reported. The function is then invoked at the end of every run that a schedule or a rule started in the cluster."
  type        = bool
  default     = false
}

variable "forward_pushes_to" {
  description = "In the registry's account: ARNs of up to 15 event buses in other accounts that receive its push events. null for the default buses of ecr_trusted_accounts that are not of production."
  type        = list(string)
  default     = null

  validation {
    condition     = length(coalesce(var.forward_pushes_to, [])) <= 15
    error_message = "forward_pushes_to has more than 15 buses: pushes are forwarded by three rules of at most five targets."
  }
  validation {
    condition     = alltrue([for arn in coalesce(var.forward_pushes_to, []) : can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+$", arn))])
    error_message = "forward_pushes_to must have ARNs of event buses, as in arn:aws:events:us-east-1:222222222222:event-bus/default: the output default_bus_arn of the other environment."
  }
}

variable "extra_role_arns" {
  description = "Further task and execution roles, whose names differ from the convention, and further roles that start tasks."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.extra_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", arn))])
    error_message = "extra_role_arns must have ARNs of roles, as in arn:aws:iam::111111111111:role/web."
  }
}

variable "kms_key_arns" {
  description = "Customer managed KMS keys of the webhook's SecureString or secret, and of the topic or queue that the function sends to."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", arn))])
    error_message = "kms_key_arns must have ARNs of keys, not of aliases, as in arn:aws:kms:us-east-1:111111111111:key/ID."
  }
}

variable "reserved_concurrency" {
  description = "How many executions of the function may run at once, reserved from the account's, of which 100 must stay unreserved. null for no reservation; 0 stops the function."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 0 && var.reserved_concurrency < 10000
    error_message = "reserved_concurrency must be null, or a number from 0 to 9999."
  }
}

variable "alarm_topic_arn" {
  description = "The SNS topic that alarms notify. null for alarms without notification."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic, as in arn:aws:sns:us-east-1:111111111111:alarms."
  }
}

variable "tags" {
  description = "Tags of every resource that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
