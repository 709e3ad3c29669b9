variable "env" {
  description = "The environment: dev, staging or prod."
  type        = string
}

variable "package" {
  description = "The function's package with the environment's file: the path of a zip, or s3://BUCKET/KEY."
  type        = string
}

variable "registry_parameters" {
  description = "What `deployer params --registry --format tfvars` prints, for an environment with its own registry. Empty for none."
  type        = map(string)
  default     = {}
}
