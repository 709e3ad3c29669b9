# The workloads of the environment file: their task definition families, roles and repositories.

locals {
  # Every item of the file that can have a repository, those that are not enabled too, because others may refer to them.
  items = merge(
    {
      "backend" = {
        image        = try(tostring(local.file.workload.backend_external_docker_image), null)
        mode         = "create_ecr", uri = null, source = null
        conventional = "${local.project}_backend"
      }
    },
    [
      for list, part in { services = "service", scheduled_tasks = "task", event_processor_tasks = "task" } : {
        for item in try(local.file[list][*], []) : "${list}/${item.name}" => {
          image        = try(tostring(item.docker_image), null)
          mode         = coalesce(try(tostring(item.ecr_config.mode), null), "create_ecr")
          uri          = try(tostring(item.ecr_config.repository_uri), null)
          conventional = "${local.project}_${part}_${item.name}"
          source       = "${coalesce(try(tostring(item.ecr_config.source_service_type), null), "services")}/${try(tostring(item.ecr_config.source_service_name), "")}"
        }
      }
    ]...
  )

  # An item with mode use_existing has the repository of another, which may refer to another again: up to 16 in a row.
  sources_1 = { for key, item in local.items : key => item.mode == "use_existing" && coalesce(item.image, "-") == "-" ? item.source : key }
  sources_2 = { for key, source in local.sources_1 : key => try(local.sources_1[source], "") }
  sources_4 = { for key, source in local.sources_2 : key => try(local.sources_2[source], "") }
  sources_8 = { for key, source in local.sources_4 : key => try(local.sources_4[source], "") }
  sources   = { for key, source in local.sources_8 : key => try(local.sources_8[source], "") }
  # The ends must not refer to others, which they do if the references go in a circle.
  unresolved = [for key, source in local.sources : key if try(local.sources_1[source], "") != source || source == ""]

  # The images and repositories that the file names by hand; null for the conventional repository.
  named = {
    for key, source in local.sources : key => try(
      local.items[source].image != null && local.items[source].image != "" ? local.items[source].image :
      local.items[source].mode == "manual_repo" ? local.items[source].uri : null, null
    )
  }
  # The registry and the repository of an image in ECR, in any partition: plain, FIPS, or the dual-stack forms of both.
  parsed = {
    for key, name in local.named : key => name == null ? {
      account_id = local.registry.account_id, region = local.registry.region
      repository = try(local.items[local.sources[key]].conventional, "")
      } : try(regex(
        "^(?:https://)?(?P<account_id>[0-9]{12})\\.dkr[.-]ecr(?:-fips)?\\.(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]+)\\.(?:amazonaws\\.com|amazonaws\\.com\\.cn|on\\.aws|on\\.amazonwebservices\\.com\\.cn|amazonaws\\.eu|sc2s\\.sgov\\.gov|csp\\.hci\\.ic\\.gov|c2s\\.ic\\.gov|cloud\\.adc-e\\.uk)/(?P<repository>[a-z0-9._/-]+)(?::[A-Za-z0-9_.-]+)?(?:@sha256:[0-9a-f]{64})?$",
        name,
    ), { account_id = "", region = "", repository = "" })
  }

  # What the deployer can deploy: the backend, the enabled services, and the enabled tasks.
  overrides = try(local.deployer.workloads, null)
  workloads = concat(
    [{
      key     = "backend"
      family  = coalesce(try(tostring(local.overrides.backend.family), ""), "${local.project}_service_${local.env}")
      owner   = "backend"
      opt_out = contains(local.no, try(lower(tostring(local.file.workload.backend_auto_deploy)), ""))
    }],
    [
      for item in try(local.file.services[*], []) : {
        key     = "services/${item.name}"
        family  = coalesce(try(tostring(local.overrides[item.name == "backend" ? "service:backend" : item.name].family), ""), "${local.project}_service_${item.name}_${local.env}")
        owner   = "service_${item.name}"
        opt_out = contains(local.no, try(lower(tostring(item.auto_deploy)), ""))
      } if !contains(local.no, try(lower(tostring(item.enabled)), ""))
    ],
    [
      for task in local.tasks : {
        key     = task.key
        family  = coalesce(try(tostring(task.names.family), ""), task.name)
        owner   = task.name
        opt_out = task.opt_out
      }
    ],
  )
  # The enabled tasks. deployer.workloads names one task:NAME, or NAME if no service is called so.
  service_names = concat(["backend"], [for item in try(local.file.services[*], []) : tostring(item.name)])
  tasks = flatten([
    for list in ["scheduled_tasks", "event_processor_tasks"] : [
      for item in try(local.file[list][*], []) : {
        key     = "${list}/${item.name}"
        name    = tostring(item.name)
        rules   = list == "event_processor_tasks"
        named   = compact([for rule in try(item.rules[*], []) : try(tostring(rule.name), "")])
        rule    = coalesce(try(tostring(item.rule_name), ""), tostring(item.name))
        opt_out = contains(local.no, try(lower(tostring(item.auto_deploy)), ""))
        # Not a choice between the objects, because Terraform makes them one type.
        names = try(local.overrides[
          try(local.overrides["task:${item.name}"], null) != null ? "task:${item.name}" :
          contains(local.service_names, tostring(item.name)) ? "" : item.name
        ], null)
      } if !contains(local.no, try(lower(tostring(item.enabled)), ""))
    ]
  ])
  # What starts them: GROUP/NAME of schedules, and NAME or BUS/NAME of rules. AWS takes names of up to 64 characters.
  written = {
    for key in ["schedule", "rule"] : key => {
      for task in local.tasks : task.key => [
        for name in flatten([try(task.names[key], [])]) :
        replace(replace(tostring(name), "/^arn:[^/]*:${key}\\//", ""), "/^default\\/(.*)$/", key == "rule" ? "$1" : "default/$1")
        if name != null
      ]
    }
  }
  conventional_pointers = {
    schedule = {
      for task in local.tasks : task.key => task.rules ? [] : [
        for name in ["${local.project}-schedule-group-${local.env}-${task.name}/${local.project}-scheduler-${task.name}-${local.env}"] :
        name if alltrue([for part in split("/", name) : length(part) <= 64])
      ]
    }
    rule = {
      for task in local.tasks : task.key => !task.rules ? [] : [
        for name in(length(task.named) > 0 ? task.named : [task.rule]) : "${local.project}_rule_${name}_${local.env}"
        if length("${local.project}_rule_${name}_${local.env}") <= 64
      ]
    }
  }
  # The names of each task's pointers: those that the file writes, or else the conventional ones.
  pointer_names = {
    for key in ["schedule", "rule"] : key => {
      for task in local.tasks : task.key => (
        length(local.written.schedule[task.key]) + length(local.written.rule[task.key]) > 0 ?
        local.written[key][task.key] : local.conventional_pointers[key][task.key]
      )
    }
  }
  pointer_arns = {
    for key, service in { schedule = "scheduler", rule = "events" } : key => [
      for name in distinct(flatten([for task in local.tasks : local.pointer_names[key][task.key]])) :
      "arn:${local.partition}:${service}:${local.region}:${local.account_id}:${key}/${name}"
    ]
  }
  # The roles that start tasks: those of the key start_role, or a schedule's own, and a task's execution role for its rules.
  written_roles = {
    for task in local.tasks : task.key => [
      for name in flatten([try(task.names.start_role, [])]) : replace(tostring(name), "/^arn:[^/]*:role\\//", "")
      if name != null
    ]
  }
  start_role_names = {
    for key, suffix in { schedule = "role", rule = "task_execution" } : key => distinct(flatten([
      for task in local.tasks : length(local.pointer_names[key][task.key]) == 0 ? [] : (
        length(local.written_roles[task.key]) > 0 ? local.written_roles[task.key] : [
          for name in ["${local.project}_scheduler_${task.name}_${suffix}_${local.env}"] : name if length(name) <= 64
        ]
      )
    ]))
  }
  start_roles = {
    for key, names in local.start_role_names : key => [
      for name in names : "arn:${local.partition}:iam::${local.account_id}:role/${name}"
    ]
  }
  has_pointers = { for key, names in local.pointer_names : key => length(flatten(values(names))) > 0 }
  # Those with a repository in ECR.
  stored = [
    for w in local.workloads : merge(w, local.parsed[w.key]) if local.parsed[w.key].repository != ""
  ]
  # Those that a push deploys.
  pushed = [for w in local.stored : w if !w.opt_out]

  families = distinct([for w in local.workloads : reverse(split("/", w.family))[0]])
  role_names = distinct(flatten([
    for w in local.workloads : [
      for role in ["${w.owner}_task", "${w.key == "backend" || startswith(w.key, "services/") ? "" : "scheduler_"}${w.owner}_task_execution"] :
      "${local.project}_${role}_${local.env}"
    ]
  ]))
  # The families, roles and repositories with conventional names.
  conventional = {
    families = [
      for family in local.families : "arn:${local.partition}:ecs:${local.region}:${local.account_id}:task-definition/${family}:*"
      if local.covered[family]
    ]
    roles = [for name in local.role_names : "arn:${local.partition}:iam::${local.account_id}:role/${name}"]
    repositories = distinct([
      for w in local.stored : "arn:${local.partition}:ecr:${w.region}:${w.account_id}:repository/${w.repository}"
      if w.account_id == local.registry.account_id && w.region == local.registry.region && startswith(w.repository, "${local.project}_")
    ])
  }
  covered = {
    for family in local.families : family => family == "${local.project}_service_${local.env}" || (
      startswith(family, "${local.project}_service_") && endswith(family, "_${local.env}")
    )
  }
  # Those with other names.
  extra = {
    families = [
      for family in local.families : "arn:${local.partition}:ecs:${local.region}:${local.account_id}:task-definition/${family}:*"
      if !local.covered[family]
    ]
    roles = var.extra_role_arns
    repositories = distinct([
      for w in local.stored : "arn:${local.partition}:ecr:${w.region}:${w.account_id}:repository/${w.repository}"
      if !(w.account_id == local.registry.account_id && w.region == local.registry.region && startswith(w.repository, "${local.project}_"))
    ])
  }
  # Without a conventional repository, the parameters have the others twice, or else that of the backend.
  family_arns = concat(local.conventional.families, local.extra.families)
  repository_arns = coalescelist(concat(local.conventional.repositories, local.extra.repositories), [
    "arn:${local.partition}:ecr:${local.registry.region}:${local.registry.account_id}:repository/${local.project}_backend",
  ])
}
