output "function_arn" {
  description = "The ARN of the function."
  value       = aws_lambda_function.deployer.arn
}

output "function_name" {
  description = "The name of the function."
  value       = aws_lambda_function.deployer.function_name
}

output "role_arn" {
  description = "The ARN of the function's role, for a repository policy that allows the deployer instead of the whole account."
  value       = aws_iam_role.deployer.arn
}

output "rule_arns" {
  description = "The ARNs of the rules, by their part of the name: deploy, push, reconcile, rollout, hook, parameter, secret, file, forward."
  value = merge(
    { for key, rule in aws_cloudwatch_event_rule.function : key => rule.arn },
    { for key, rule in aws_cloudwatch_event_rule.forward : key => rule.arn },
  )
}

output "undelivered_queue_url" {
  description = "The URL of the queue of events that EventBridge could not deliver."
  value       = aws_sqs_queue.undelivered.url
}

output "failed_queue_url" {
  description = "The URL of the queue of events that were rejected or failed, for deployer redrive."
  value       = aws_sqs_queue.failed.url
}

output "default_bus_arn" {
  description = "The ARN of the account's default event bus, for forward_pushes_to in the registry's account."
  value       = local.bus_arn
}

output "log_group_name" {
  description = "The name of the function's log group."
  value       = aws_cloudwatch_log_group.deployer.name
}

output "ecr_strategy" {
  description = "The strategy of the environment file: local or cross_account."
  value       = local.strategy
}

output "registry" {
  description = "The account and the region of the registry that the strategy chooses."
  value       = local.registry
}
