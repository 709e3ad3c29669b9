# What follows from the environment file, by the rules of `deployer params`, which a test compares with. `deployer
# validate` reports more faults of a file than this module.

locals {
  file     = yamldecode(file(var.environment_file))
  deployer = try(local.file.deployer, null)

  # A key that is absent or null is "".
  text = {
    for key in ["project", "env", "region", "account_id", "ecr_strategy", "ecr_account_id", "ecr_account_region", "is_prod"] :
    key => try(local.file[key] == null ? "" : tostring(local.file[key]), "")
  }
  project            = local.text.project
  env                = local.text.env
  region             = local.text.region
  file_account_id    = local.text.account_id
  ecr_account_id     = local.text.ecr_account_id
  ecr_account_region = local.text.ecr_account_region

  # How YAML 1.1 and people write booleans.
  yes = ["true", "yes", "on", "y"]
  no  = ["false", "no", "off", "n"]

  # Production by is_prod or by its name: no push deploys it by default.
  is_production = contains(local.yes, lower(local.text.is_prod)) || length(setintersection(
    split("-", lower(replace(local.env, "_", "-"))), ["prod", "production", "prd", "live"],
  )) > 0

  # The strategy of a file that does not set ecr_strategy, as the migration to schema version 7 derives it.
  strategy = (
    local.text.ecr_strategy != "" ? local.text.ecr_strategy :
    local.env == "dev" ? "local" :
    local.ecr_account_id != "" ? "cross_account" : "local"
  )
  is_cross_account = local.strategy == "cross_account"
  registry = {
    account_id = local.is_cross_account ? local.ecr_account_id : local.account_id
    region     = local.is_cross_account ? local.ecr_account_region : local.region
  }

  # The name, or the last part of an ARN.
  cluster = reverse(split("/", coalesce(try(tostring(local.deployer.cluster), ""), "${local.project}_cluster_${local.env}")))[0]

  # Whether pushes deploy: some tags do, and some workload has a repository and has not opted out.
  auto_deploy    = try(length(local.deployer.auto_deploy), local.is_production ? 0 : 1) > 0
  deploys_pushes = local.auto_deploy && length(local.pushed) > 0
  reconciles     = local.deploys_pushes && var.reconcile_minutes > 0

  # No pattern may have an empty list: with one, the template's default matches, and the function rejects the events.
  default_sources = {
    absent = ["action.${local.env}", local.is_production && local.env != "production" ? "action.production" : ""]
    empty  = ["action.${local.env}", local.env == "prod" ? "action.production" : ""]
  }
  deploy_sources = coalescelist(
    try([for source in local.deployer.deploy_sources : tostring(source)], compact(local.default_sources.absent)),
    compact(local.default_sources.empty),
  )

  # The kinds of configuration whose changes redeploy services.
  redeploy_on = try([for kind in local.deployer.redeploy_on : tostring(kind)], [])

  # What names something has to be a text: of yes, Terraform makes true, of 007 a 7, and of a date a time.
  names = concat(
    flatten([
      for list in ["services", "scheduled_tasks", "event_processor_tasks"] : [
        for i, item in try(local.file[list][*], []) : concat(
          [
            for key in ["name", "docker_image", "rule_name"] :
            { key = "${list}[${i}].${key}", value = try(item[key], null) }
          ],
          [
            for key in ["mode", "repository_uri", "source_service_name", "source_service_type"] :
            { key = "${list}[${i}].ecr_config.${key}", value = try(item.ecr_config[key], null) }
          ],
          [
            for j, rule in try(item.rules[*], []) :
            { key = "${list}[${i}].rules[${j}].name", value = try(rule.name, null) }
          ],
        )
      ]
    ]),
    flatten([
      for workload in try(keys(local.deployer.workloads), []) : [
        for key in ["family", "schedule", "rule", "start_role"] : [
          for value in flatten([try(local.deployer.workloads[workload][key], null)]) :
          { key = "deployer.workloads.${workload}.${key}", value = value }
        ]
      ]
    ]),
    [for value in try(local.deployer.deploy_sources[*], []) : { key = "deployer.deploy_sources", value = value }],
    [{ key = "deployer.cluster", value = try(local.deployer.cluster, null) }],
    [{
      key   = "workload.backend_external_docker_image",
      value = try(local.file.workload.backend_external_docker_image, null)
    }],
  )
  not_texts = distinct([
    for name in local.names : name.key
    if name.value != null && !can(regex("^\"", jsonencode(name.value))) ||
    can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:", name.value))
  ])

  # An SSM parameter, or a secret that SSM reads.
  slack_parameter = try(local.deployer.notify.slack == null ? "" : local.deployer.notify.slack, "")
  slack_secret    = try(regex("^/aws/reference/secretsmanager/(.*)$", local.slack_parameter)[0], "")
  topic_arn       = try(local.deployer.notify.topic == null ? "" : local.deployer.notify.topic, "")

  # The default buses of accounts that run images of this registry, without those of production, which no push deploys.
  trusted = distinct([
    for trusted in try(local.file.ecr_trusted_accounts[*], []) :
    { account_id = trusted.account_id, region = coalesce(try(trusted.region, ""), local.region) }
    if try(length(trusted.account_id), 0) > 0 && try(trusted.account_id, "") != local.account_id && !local.is_cross_account &&
    length(setintersection(
      split("-", try(lower(replace(tostring(trusted.env), "_", "-")), "")), ["prod", "production", "prd", "live"],
    )) == 0
  ])
  trusted_buses = [
    for t in local.trusted : "arn:${local.partition}:events:${t.region}:${t.account_id}:event-bus/default"
  ]
  forward_pushes_to = var.forward_pushes_to == null ? local.trusted_buses : var.forward_pushes_to
  forwards          = length(local.forward_pushes_to) > 0

  # Other registries whose pushes deploy, from images and repositories that the file names by hand.
  pushed_by_hand          = [for w in local.pushed : w if local.named[w.key] != null && local.auto_deploy]
  extra_registry_accounts = distinct([for w in local.pushed_by_hand : w.account_id if w.account_id != local.registry.account_id])
  extra_registry_regions  = distinct([for w in local.pushed_by_hand : w.region if w.region != local.registry.region])
  receives_pushes         = local.deploys_pushes && (local.is_cross_account || length(local.extra_registry_accounts) > 0)
  push_accounts           = concat([local.registry.account_id], local.extra_registry_accounts)
  push_regions            = concat([local.registry.region], local.extra_registry_regions)
}
