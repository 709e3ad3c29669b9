output "function_arn" {
  description = "The ARN of the deployer's function."
  value       = module.deployer.function_arn
}

output "ecr_strategy" {
  description = "The strategy of the environment: local or cross_account."
  value       = module.deployer.ecr_strategy
}

output "default_bus_arn" {
  description = "The ARN of the bus that DEPLOY events are sent to."
  value       = module.deployer.default_bus_arn
}
