package main

import (
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

const (
	prodQuiet = "prod has no rule for pushes; only a DEPLOY event deploys it"
	missing   = `{"service":"backend","tag":"git-0000000"}`
)

// foreignEvent and namedEvent are the steps in which dev's bus gets DEPLOY events for production.
var (
	foreignEvent = patternStep{
		title: "Someone with all rights in dev sends production's DEPLOY event to dev's bus.",
		run:   puts(accounts.Dev, "action.production", `{"service":"backend","tag":"v1"}`),
		quiet: "no rule of dev's bus has the source action.production",
	}
	namedEvent = patternStep{
		title: "The same, as an event of dev that names prod.",
		run:   puts(accounts.Dev, "action.dev", `{"service":"backend","tag":"v1","env":"prod"}`),
		want:  []string{"dev ignored"},
		quiet: "it stays on dev's bus",
	}
)

// patterns are those of docs/strategies.md, in its order.
var patterns = []pattern{{
	title: "Centralized dev: dev builds and keeps the images; staging and prod run them.",
	files: "centralized-dev-ecr",
	tasks: true,
	steps: []patternStep{{
		title: "A push to main: the build job pushes git-abc123f and latest to dev's registry, as " +
			"myproject_github_build_dev.",
		run:   pushes("dev", backendRepository, "backend v2", "git-abc123f", "latest"),
		want:  []string{"dev deployed", "dev ignored", "staging deployed", "staging ignored"},
		quiet: prodQuiet,
	}, {
		title: "After its approval, production's job deploys it with the GitHub action, as " +
			"myproject_github_deploy_prod.",
		run:  acts("prod", "service", "backend", "git-abc123f"),
		want: []string{"prod deployed"},
	}, {
		title: "The build job pushes an image of the scheduled task nightly-report, too.",
		run:   pushes("dev", taskRepository, "report v2", "git-abc123f", "latest"),
		want:  []string{"dev deployed", "dev ignored", "staging deployed", "staging ignored"},
		quiet: prodQuiet,
	}, {
		title: "Production's job deploys it with the action's input task. Its schedule is moved.",
		run:   acts("prod", "task", cloud.Task, "git-abc123f"),
		want:  []string{"prod deployed"},
	}, foreignEvent, namedEvent, {
		title: "What AWS refuses.",
		run: refused(
			refusal{"dev", "dev's build job assumes prod's deploy role", assumes("dev", deploy("prod"))},
			refusal{"dev", "dev's build job sends a DEPLOY event to prod's bus", sends(build("dev"), accounts.Prod)},
			refusal{"prod", "prod's deploy job pushes to dev's registry", pushesAs(deploy("prod"), accounts.Dev)},
			refusal{"staging", "staging's deploy job sends a DEPLOY event to prod's bus",
				sends(deploy("staging"), accounts.Prod)},
			refusal{"prod", "an administrator puts an event into a queue of the deployer", enqueues("prod")},
			refusal{"staging", "the same in staging", enqueues("staging")},
			refusal{"dev", "the same in dev", enqueues("dev")},
			refusal{"prod", "the function puts an event into its queue over an unencrypted connection",
				enqueuesPlainly("prod")},
			refusal{"staging", "the same in staging", enqueuesPlainly("staging")},
			refusal{"dev", "the same in dev", enqueuesPlainly("dev")},
		),
	}, brokenImage(pushes("dev", backendRepository, "backend broken", "git-bad0000")),
		missingTag, unknownService, away, reports, pulls, operators, failing, pausing},
}, {
	title: "Isolated production: staging runs dev's images; prod has its own registry, into which they are promoted.",
	files: "isolated-production-ecr",
	tasks: true,
	// Prod's promote job reads dev's registry.
	readers: map[string][]string{"dev": {accounts.Prod}},
	steps: []patternStep{{
		title: "A push to main: the build job pushes git-abc123f and latest to dev's registry, as " +
			"myproject_github_build_dev.",
		run:   pushes("dev", backendRepository, "backend v2", "git-abc123f", "latest"),
		want:  []string{"dev deployed", "dev ignored", "staging deployed", "staging ignored"},
		quiet: prodQuiet,
	}, {
		title: "After its approval, production's job copies the image, as myproject_github_promote_prod:\n" +
			"   deployer promote --from staging.yaml --to prod.yaml backend git-abc123f",
		run:   runs(promote("prod"), "promote --from staging.yaml --to prod.yaml backend git-abc123f"),
		quiet: prodQuiet,
	}, {
		title: "It deploys the copy with the GitHub action, as myproject_github_deploy_prod.",
		run:   acts("prod", "service", "backend", "git-abc123f"),
		want:  []string{"prod deployed"},
	}, {
		title: "The build job pushes an image of the scheduled task nightly-report, too.",
		run:   pushes("dev", taskRepository, "report v2", "git-abc123f", "latest"),
		want:  []string{"dev deployed", "dev ignored", "staging deployed", "staging ignored"},
		quiet: prodQuiet,
	}, {
		title: "Production's job promotes the task's image, and deploys it. Its schedule is moved:\n" +
			"   deployer promote --from staging.yaml --to prod.yaml nightly-report git-abc123f",
		run: all(runs(promote("prod"), "promote --from staging.yaml --to prod.yaml nightly-report git-abc123f"),
			acts("prod", "task", cloud.Task, "git-abc123f")),
		want: []string{"prod deployed"},
	}, {
		title: "What AWS refuses.",
		run: refused(
			refusal{"dev", "dev's build job pushes to prod's registry", pushesAs(build("dev"), accounts.Prod)},
			refusal{"prod", "prod's deploy job pushes to prod's registry", pushesAs(deploy("prod"), accounts.Prod)},
			refusal{"prod", "prod's promote job pushes to dev's registry", pushesAs(promote("prod"), accounts.Dev)},
			refusal{"prod", "prod's promote job sends a DEPLOY event", sends(promote("prod"), accounts.Prod)},
			refusal{"dev", "dev's build job assumes prod's promote role", assumes("dev", promote("prod"))},
			refusal{"prod", "an administrator puts an event into a queue of the deployer", enqueues("prod")},
			refusal{"staging", "the same in staging", enqueues("staging")},
			refusal{"dev", "the same in dev", enqueues("dev")},
			refusal{"prod", "the function puts an event into its queue over an unencrypted connection",
				enqueuesPlainly("prod")},
			refusal{"staging", "the same in staging", enqueuesPlainly("staging")},
			refusal{"dev", "the same in dev", enqueuesPlainly("dev")},
		),
	}, foreignEvent, namedEvent, brokenImage(pushes("dev", backendRepository, "backend broken", "git-bad0000"),
		runs(promote("prod"), "promote --from staging.yaml --to prod.yaml backend git-bad0000")),
		missingTag, unknownService, away, reports, pulls, operators, failing, pausing},
}, {
	title: "One registry each: images are promoted from dev to staging, and from staging to prod.",
	files: "per-environment-ecr",
	tasks: true,
	// Each environment's promote job reads the registry of the one before.
	readers: map[string][]string{"dev": {accounts.Staging}, "staging": {accounts.Prod}},
	steps: []patternStep{{
		title: "A push to main: the build job pushes git-abc123f and latest to dev's registry, as " +
			"myproject_github_build_dev.",
		run:   pushes("dev", backendRepository, "backend v2", "git-abc123f", "latest"),
		want:  []string{"dev deployed", "dev ignored"},
		quiet: prodQuiet,
	}, {
		title: "Staging's job copies the image, as myproject_github_promote_staging; the arrival of latest deploys " +
			"it:\n" +
			"   deployer promote --from dev.yaml --to staging.yaml backend git-abc123f\n" +
			"   deployer promote --from dev.yaml --to staging.yaml backend git-abc123f --as latest --force",
		run: all(runs(promote("staging"), "promote --from dev.yaml --to staging.yaml backend git-abc123f"),
			runs(promote("staging"),
				"promote --from dev.yaml --to staging.yaml backend git-abc123f --as latest --force")),
		want:  []string{"staging deployed", "staging ignored"},
		quiet: prodQuiet,
	}, {
		title: "After its approval, production's job copies it, as myproject_github_promote_prod:\n" +
			"   deployer promote --from staging.yaml --to prod.yaml backend git-abc123f",
		run:   runs(promote("prod"), "promote --from staging.yaml --to prod.yaml backend git-abc123f"),
		quiet: prodQuiet,
	}, {
		title: "It deploys the copy with the GitHub action, as myproject_github_deploy_prod.",
		run:   acts("prod", "service", "backend", "git-abc123f"),
		want:  []string{"prod deployed"},
	}, {
		title: "The build job pushes an image of the scheduled task nightly-report, too.",
		run:   pushes("dev", taskRepository, "report v2", "git-abc123f", "latest"),
		want:  []string{"dev deployed", "dev ignored"},
		quiet: prodQuiet,
	}, {
		title: "Staging's job promotes the task's image; the arrival of latest moves its schedule:\n" +
			"   deployer promote --from dev.yaml --to staging.yaml nightly-report git-abc123f\n" +
			"   deployer promote --from dev.yaml --to staging.yaml nightly-report git-abc123f --as latest --force",
		run: all(runs(promote("staging"), "promote --from dev.yaml --to staging.yaml nightly-report git-abc123f"),
			runs(promote("staging"),
				"promote --from dev.yaml --to staging.yaml nightly-report git-abc123f --as latest --force")),
		want:  []string{"staging deployed", "staging ignored"},
		quiet: prodQuiet,
	}, {
		title: "Production's job promotes the task's image from staging, and deploys it with the action's input task.",
		run: all(runs(promote("prod"), "promote --from staging.yaml --to prod.yaml nightly-report git-abc123f"),
			acts("prod", "task", cloud.Task, "git-abc123f")),
		want: []string{"prod deployed"},
	}, {
		title: "The other services' images are in every registry already: a promotion changes nothing.",
		run: all(runs(promote("staging"), "promote --from dev.yaml --to staging.yaml web-api v1"),
			runs(promote("staging"), "promote --from dev.yaml --to staging.yaml worker v1"),
			runs(promote("prod"), "promote --from staging.yaml --to prod.yaml web-api v1"),
			runs(promote("prod"), "promote --from staging.yaml --to prod.yaml worker v1")),
		quiet: prodQuiet,
	}, {
		title: "What AWS refuses.",
		run: refused(
			refusal{"dev", "dev's build job pushes to staging's registry", pushesAs(build("dev"), accounts.Staging)},
			refusal{"dev", "dev's build job pushes to prod's registry", pushesAs(build("dev"), accounts.Prod)},
			refusal{"prod", "prod's promote job reads dev's registry", reads(promote("prod"), accounts.Dev)},
			refusal{"staging", "staging's promote job assumes prod's promote role",
				assumes("staging", promote("prod"))},
			refusal{"prod", "an administrator puts an event into a queue of the deployer", enqueues("prod")},
			refusal{"staging", "the same in staging", enqueues("staging")},
			refusal{"dev", "the same in dev", enqueues("dev")},
			refusal{"prod", "the function puts an event into its queue over an unencrypted connection",
				enqueuesPlainly("prod")},
			refusal{"staging", "the same in staging", enqueuesPlainly("staging")},
			refusal{"dev", "the same in dev", enqueuesPlainly("dev")},
		),
	}, foreignEvent, namedEvent, brokenImage(pushes("dev", backendRepository, "backend broken", "git-bad0000"),
		runs(promote("staging"), "promote --from dev.yaml --to staging.yaml backend git-bad0000"),
		runs(promote("prod"), "promote --from staging.yaml --to prod.yaml backend git-bad0000")),
		missingTag, unknownService, away, reports, pulls, operators, failing, pausing},
}}

// brokenImage is the step of an image whose tasks do not start, after it was brought to every registry.
func brokenImage(bring ...action) patternStep {
	return patternStep{
		title: "An image whose tasks do not start reaches every environment, by a DEPLOY event that its deploy job " +
			"follows:\n   deployer send -f ENV.yaml backend git-bad0000 --follow",
		run:  breaks(all(bring...)),
		want: []string{"dev deployed", "dev ignored", "staging deployed", "staging ignored", "prod deployed"},
		ends: "failed",
	}
}
