# How the ARNs of an environment's resources are distributed over the policies of the function's role, as `deployer params`
# does it: which policies there are, and what is in each, does not depend on the account.
#
# An environment has a policy for each kind of resource. A large one, whose lists do not fit into those, has up to ten
# policies with ARNs of all kinds.

locals {
  # What a role's inline policies may have in all and what a managed policy may have, in characters without white space,
  # and how many managed policies a role may have by default (IAM and STS quotas).
  max_policy   = 10240
  max_managed  = 6144
  max_policies = 10

  # The lists are counted with what stands for the partition and the account, which may not be known before an apply. A
  # role of the variable counts as 130 characters, which is a long ARN.
  counted_partition = startswith(local.region, "cn-") ? "aws-cn" : startswith(local.region, "us-gov-") ? "aws-us-gov" : "aws"
  counted_account   = "000000000000"
  counted_ecs       = "arn:${local.counted_partition}:ecs:${local.region}:${local.counted_account}:task-definition"
  counted_roles     = [for name in local.role_names : "arn:${local.counted_partition}:iam::${local.counted_account}:role/${name}"]
  counted_start_roles = {
    for key, names in local.start_role_names : key => [
      for name in names : "arn:${local.counted_partition}:iam::${local.counted_account}:role/${name}"
    ]
  }
  counted_pointers = {
    for key, service in { schedule = "scheduler", rule = "events" } : key => distinct([
      for name in flatten(values(local.pointer_names[key])) :
      "arn:${local.counted_partition}:${service}:${local.region}:${local.counted_account}:${key}/${name}"
    ])
  }
  # The repositories, each once: those that the file names by hand have an account.
  repository_items = distinct([for w in local.stored : local.sources[w.key]])
  counted_repositories = [
    for key in local.repository_items :
    "arn:${local.counted_partition}:ecr:${local.parsed[key].region}:${local.named[key] == null ? local.counted_account : local.parsed[key].account_id}:repository/${local.parsed[key].repository}"
  ]
  # How many of the task roles fit into one parameter of deploy/template.yaml, of 4,096 characters. The others are in a
  # policy of their own.
  # None has less than 30, so no more than 150 do.
  role_sizes = tolist([for i, arn in local.counted_roles : length(arn) + 1 if i < 150])
  first_roles = length([
    for i, size in local.role_sizes : i if sum(slice(local.role_sizes, 0, i + 1)) <= 4097
  ])

  # The characters of each list in a policy, with the quotes and the comma of each ARN: three more.
  counted_lists = {
    families       = [for family in local.families : "${local.counted_ecs}/${family}:*" if local.covered[family]]
    extra_families = [for family in local.families : "${local.counted_ecs}/${family}:*" if !local.covered[family]]
    roles          = slice(local.counted_roles, 0, local.first_roles)
    more_roles     = slice(local.counted_roles, local.first_roles, length(local.counted_roles))
    repositories   = [for i, arn in local.counted_repositories : arn if local.named[local.repository_items[i]] == null]
    extra_repositories = [
      for i, arn in local.counted_repositories : arn if local.named[local.repository_items[i]] != null
    ]
    schedules      = local.counted_pointers.schedule
    rules          = local.counted_pointers.rule
    schedule_roles = local.counted_start_roles.schedule
    rule_roles     = local.counted_start_roles.rule
  }
  size        = { for kind, arns in local.counted_lists : kind => sum(concat([0], [for arn in arns : length(arn) + 3])) }
  extra_size  = 133 * length(var.extra_role_arns)
  name_size   = length(local.cluster) + local.region_size + length(local.counted_partition)
  region_size = max(length(local.region), length(local.registry.region))
  # The role's own policy without its list, at most.
  inline_size = sum([
    2750, 6 * length(local.project), 4 * length(local.env), 8 * length(local.cluster), 15 * local.region_size,
    16 * length(local.counted_partition),
    local.slack_parameter == "" ? 0 : 120 + length(local.slack_parameter) + local.region_size + length(local.counted_partition),
    local.slack_secret == "" ? 0 : 155 + length(local.slack_parameter) + local.region_size + length(local.counted_partition),
    local.topic_arn == "" ? 0 : 85 + length(local.topic_arn),
    length(var.kms_key_arns) == 0 ? 0 : 255 + 79 * length(var.kms_key_arns) + 4 * local.region_size,
  ])
  is_large = !alltrue(concat(
    [for kind, arns in local.counted_lists : length(join(",", arns)) <= 4096],
    [
      local.inline_size + local.size.families + local.size.extra_families <= local.max_policy,
      370 + local.size.families + local.size.extra_families <= local.max_managed,
      220 + local.size.roles + local.extra_size <= local.max_managed,
      220 + local.size.more_roles <= local.max_managed,
      200 + local.size.repositories + local.size.extra_repositories <= local.max_managed,
      180 + local.size.schedules <= local.max_managed,
      360 + local.name_size + 2 * local.size.rules <= local.max_managed,
      360 + local.size.schedule_roles + local.size.rule_roles + 2 * local.extra_size <= local.max_managed,
      180 + local.size.schedule_roles + local.size.rule_roles + local.extra_size <= local.max_managed,
    ],
  ))

  # Everything, each ARN once, and the same with name patterns in the place of conventional names, for what does not fit
  # otherwise: of the kinds that the environment file accepts in deployer.role_patterns.
  role_patterns    = try([for kind in local.deployer.role_patterns : tostring(kind)], [])
  counted_families = [for family in local.families : "${local.counted_ecs}/${family}:*"]
  all_roles        = concat(local.counted_roles, local.counted_start_roles.schedule, local.counted_start_roles.rule)
  short_families = [
    for arn in local.counted_families :
    can(regex("/${local.project}_service_.*_${local.env}:", arn)) ? "${local.counted_ecs}/${local.project}_service_*_${local.env}:*" : arn
  ]
  short_roles = [
    for arn in local.all_roles : concat([
      for pattern in local.role_name_patterns : replace(arn, "/:role\\/.*/", ":role/${pattern}")
      if can(regex(":role/${replace(pattern, "*", ".*")}$", arn))
    ], [arn])[0]
  ]
  short_schedules = [
    for arn in local.counted_pointers.schedule :
    can(regex(":schedule/${replace(local.schedule_pattern, "*", ".*")}$", arn)) ? replace(arn, "/:schedule\\/.*/", ":schedule/${local.schedule_pattern}") : arn
  ]
  short_repositories = [
    for arn in local.counted_repositories : concat([
      for part in ["service", "task"] : replace(arn, "/:repository\\/.*/", ":repository/${local.project}_${part}_*")
      if can(regex(":repository/${local.project}_${part}_", arn))
    ], [arn])[0]
  ]
  all_arns = {
    for choice, arns in {
      exact = [local.counted_families, local.all_roles, local.counted_pointers.schedule, local.counted_repositories]
      short = [
        contains(local.role_patterns, "families") ? local.short_families : local.counted_families,
        contains(local.role_patterns, "roles") ? local.short_roles : local.all_roles,
        contains(local.role_patterns, "schedules") ? local.short_schedules : local.counted_pointers.schedule,
        contains(local.role_patterns, "repositories") ? local.short_repositories : local.counted_repositories,
      ]
    } :
    # Families, roles, schedules and rules are always of the role's own account, to which their actions apply alone: a
    # wildcard for it is no wider, and shorter.
    choice => concat(
      [
        for arn in distinct(concat(arns[0], arns[1], arns[2], local.counted_pointers.rule)) :
        replace(arn, ":${local.counted_account}:", ":*:")
      ],
      distinct(arns[3]),
    )
  }
  role_name_patterns = [
    for name in ["service_*_task", "service_*_task_execution", "scheduler_*_task_execution", "scheduler_*_role"] :
    "${local.project}_${name}_${local.env}"
  ]
  schedule_pattern = "${local.project}-schedule-group-${local.env}-*/${local.project}-scheduler-*-${local.env}"

  # The policy of each ARN: the first ARN of a policy is the one that begins after a whole number of windows. The last may
  # exceed its window, by less than the longest. A policy has 500 characters beside its list and some names.
  sizes = {
    for choice, arns in local.all_arns : choice => tolist(concat(
      [for arn in arns : length(arn) + 3], [for role in var.extra_role_arns : 133],
    ))
  }
  window = {
    for choice, sizes in local.sizes : choice => local.max_managed - 500 - local.name_size - max(sizes...)
  }
  # What is too long for all of them is not distributed.
  is_short = { for choice, sizes in local.sizes : choice => sum(sizes) <= local.max_policies * local.max_managed }
  policy_of = {
    for choice, sizes in local.sizes : choice => concat(
      [
        for i, size in sizes : i == 0 ? 0 : floor(sum(slice(sizes, 0, i)) / local.window[choice])
        if local.is_short[choice]
      ],
      local.is_short[choice] ? [] : [local.max_policies],
    )
  }
  choice = !local.is_large || max(local.policy_of.exact...) < local.max_policies ? "exact" : "short"
  # Whether they fit. If not, the role is refused, and has none of these policies.
  fits = !local.is_large || max(local.policy_of[local.choice]...) < local.max_policies
  resource_list = concat(
    [
      for arn in local.all_arns[local.choice] : replace(
        replace(arn, "arn:${local.counted_partition}:", "arn:${local.partition}:"),
        ":${local.counted_account}:", ":${local.registry.account_id}:",
      )
    ],
    var.extra_role_arns,
  )
  resource_arns = {
    for n in(local.is_large && local.fits ? range(max(local.policy_of[local.choice]...) + 1) : []) : "resources_${n + 1}" => [
      for i, arn in local.resource_list : arn if try(local.policy_of[local.choice][i], local.max_policies) == n
    ]
  }
}
