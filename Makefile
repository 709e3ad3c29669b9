# `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The environment file that is packed with the function: file=PATH.
file ?= environment.yaml
# The directory of `make package` and `make dist`.
dist ?= dist
# SAM runs make in a copy of the checkout without .git, with this file's absolute path (aws-lambda-builders,
# workflows/custom_make/actions.py). The version comes from the checkout itself.
checkout := $(shell cd "$$(dirname "$(strip $(MAKEFILE_LIST))")" && pwd)
version := $(shell git -C "$(checkout)" describe --tags --always --dirty 2>/dev/null || echo dev)
# Where the caller is, whatever directory SAM or `make -C` changed to.
caller := $(PWD)
fuzztime ?= 20000x

comma := ,
# Without these flags the bootstrap is a third larger: no symbols, no RPC mode, no C.
# The tag function leaves out the command line.
release = CGO_ENABLED=0 go build -tags lambda.norpc$(1) -trimpath -ldflags="-s -w -X deployer/internal/version.release=$(version)"
# Sets $path to the environment file, and checks it. A relative path starts at the caller's directory, else at the
# checkout. $(1) is the command for messages, $(2) an example of it.
define find_file
	case "$$file" in /*) path="$$file";; *) path="$$caller/$$file"; test -f "$$path" || path="$$checkout/$$file";; esac; \
	test -f "$$path" || { echo "$(1): there is no $$file in $$caller or $$checkout; name the environment file, for example $(2)" >&2; exit 2; }; \
	GOOS= GOARCH= go -C "$$checkout" run ./cmd/deployer validate "$$path" || { echo "$(1): $$path is not packed: correct it first" >&2; exit 1; }
endef
linters := go tool -modfile=tools/go.mod

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-zA-Z-]+:.*## / { printf "make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the command line, bin/deployer
	@mkdir -p bin
	$(call release) -o bin/deployer ./cmd/deployer

# Every platform that the command line is released for.
platforms := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: cross
cross: ## compile the command line for linux, macOS and Windows on amd64 and arm64
	@for platform in $(platforms); do echo "building for $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(call release) -o /dev/null ./cmd/deployer; done

.PHONY: reference
reference: ## generate docs/reference/cli from the commands' help
	UPDATE_REFERENCE=1 go test -count=1 -run '^TestReference$$' ./internal/cli

package build-DeployerFunction: export file := $(file)
package build-DeployerFunction: export caller := $(caller)
package build-DeployerFunction: export checkout := $(checkout)

.PHONY: package
package: ## pack the function with its environment file (file=PATH): dist/deployer.zip, for arm64
	@mkdir -p $(dist)
	@$(call find_file,make package,make package file=project/dev.yaml); cp "$$path" $(dist)/environment.yaml; echo '$(version)' > $(dist)/version
	GOOS=linux GOARCH=arm64 $(call release,$(comma)function) -o $(dist)/bootstrap ./cmd/deployer
	zip="$$(mktemp -d)"; trap 'rm -rf "$$zip"' EXIT; go build -o "$$zip/" github.com/aws/aws-lambda-go/cmd/build-lambda-zip; cd $(dist); "$$zip/build-lambda-zip" -o deployer.zip bootstrap environment.yaml version

architectures := arm64 amd64
shells := bash zsh fish powershell
builds := $(dist)/builds

# Everything in a release is built with the commit's own version and time, so that two builds of a commit are equal.
.PHONY: dist
dist: export GOFLAGS := -buildvcs=true
dist: ## build the release: archives of the command line, zips of the function, SHA256SUMS, in dist/release
	rm -rf $(builds)
	mkdir -p $(builds)/common/completions
	cp README.md LICENSE $(builds)/common
	$(call release) -o $(builds)/deployer ./cmd/deployer
	@for shell in $(shells); do $(builds)/deployer completion $$shell > $(builds)/common/completions/deployer.$${shell/powershell/ps1}; done
	rm $(builds)/deployer
	@for platform in $(platforms); do os=$${platform%/*} arch=$${platform#*/} exe=; \
		if [ $$os = windows ]; then exe=.exe; fi; echo "building for $$platform"; \
		GOOS=$$os GOARCH=$$arch $(call release) -o $(builds)/$${os}_$$arch/deployer$$exe ./cmd/deployer; done
	@for arch in $(architectures); do echo "building the function for $$arch"; \
		GOOS=linux GOARCH=$$arch $(call release,$(comma)function) -o $(builds)/function_$$arch/bootstrap ./cmd/deployer; \
		echo '$(version)' > $(builds)/function_$$arch/version; done
	go -C tools run ./dist -builds $(abspath $(builds)) -out $(abspath $(dist))/release -version $(version) -time $$(git log -1 --format=%ct)

.PHONY: build-DeployerFunction
build-DeployerFunction: ## build the function into ARTIFACTS_DIR, for `sam build`
	@$(call find_file,sam build,file=project/dev.yaml sam build); cp "$$path" "$(ARTIFACTS_DIR)/environment.yaml"; echo '$(version)' > "$(ARTIFACTS_DIR)/version"
	GOOS=linux GOARCH=arm64 $(call release,$(comma)function) -o "$(ARTIFACTS_DIR)/bootstrap" ./cmd/deployer

# The environment file of `make deploy`, where the project keeps its files; or env_file=PATH.
env_file = $(firstword $(wildcard project/$(env).yaml project/$(env).yml $(env).yaml $(env).yml))

.PHONY: deploy
deploy: ## install or update an environment's stack with SAM: env=dev (set="NAME=VALUE ..." for further parameters)
	@test -n "$(env)" || { echo "make deploy: env is missing; for example make deploy env=dev" >&2; exit 2; }
	@command -v sam >/dev/null || { echo "make deploy: AWS SAM is not installed: https://docs.aws.amazon.com/serverless-application-model/ (docs/how-to/terraform.md does without)" >&2; exit 2; }
	@test -n "$(env_file)" || { echo "make deploy: there is no project/$(env).yaml and no $(env).yaml" >&2; exit 2; }
	@mkdir -p $(dist)
	go run ./cmd/deployer params -f "$(env_file)" --format samconfig $(set) > $(dist)/samconfig.toml
	MAKEFLAGS= file="$(env_file)" sam build --template-file deploy/template.yaml
	sam deploy --config-file $(abspath $(dist))/samconfig.toml --config-env $(env)

.PHONY: demo
demo: ## run the demo on emulated AWS: no account needed
	@echo "Building. The first time takes a minute." >&2
	@CGO_ENABLED=0 go run ./testbed/demo

# pattern=1 shows one of them.
.PHONY: patterns
patterns: ## run the three patterns of docs/strategies.md on emulated AWS, with every role's rights (pattern=1 for one)
	@CGO_ENABLED=0 go run ./testbed/demo -pattern $(or $(pattern),9)

# On a terminal, Ctrl-C interrupts the environment alone, and not make, so that both exit with 0.
.PHONY: up
up: port ?= 4566
up: build ## run the demo's environment until interrupted, with things to try (port=4566)
	@case "$(port)" in ""|*[!0-9]*) echo "make up: port=$(port) is no port; for example make up port=4567" >&2; exit 2;; esac
	@dir="$(abspath $(dist))/up-$(port)"; mkdir -p "$$dir"; CGO_ENABLED=0 go build -o "$$dir/demo" ./testbed/demo; \
		exec "$$dir/demo" -up -port "$(port)" -dir "$$dir" -bin "$(abspath bin)"

.PHONY: test
test: ## run the tests
	CGO_ENABLED=0 go test ./...

# These try many more cases of what `make test` samples.
breadth := ModuleOfManyServices|ModuleRoleFits|ModulePatterns|ModuleRandomFiles|LargeRoleStaysAtHome|RoleFits|RoleFitsTasks|LargeCrowdInFakeTime|StormInFakeTime|StormsInFakeTime|Histories|Ends|EveryRunEndsRight|TaskKeys|Crashes|OddAnswers|SeveralDeaths|Several|SeveralTasks|SeveralWait|Rollouts|RolloutEventsInAnyOrder|Rotation|RedeployOnChange|DeployBesideHousekeeping|Width
# These build the function for arm64 as it is released, and compile what nothing else needs: an SDK client, a browser's protocol.
slow := Browser|BrowserFile|BrowserPaint|Package|PackageStops|MakeDeploy|Patterns|BuildAsSAM|Regional|EndpointSettings|Parameters|Secrets|UpTrials|MakeUp|MakeUpSignals|Lint|$(breadth)
.PHONY: test-slow
test-slow: ## run the tests that take long: of packages and SAM, of SSM, in a browser, of the patterns, of `make up`, and the cases that `make test` samples (four minutes)
	CGO_ENABLED=0 go test -tags slow -run '^Test($(slow))$$' ./cmd/deployer ./deploy ./internal/cli ./internal/dashboard ./internal/ecsdeploy/converge ./internal/pipeline ./internal/promote ./internal/signed ./testbed/aws/ssm ./testbed/demo ./testbed/histories ./testbed/storm

# Each process that a test starts would sleep a second at its end.
.PHONY: race
race: ## run the tests under the race detector (needs a C compiler)
	GORACE=atexit_sleep_ms=0 CGO_ENABLED=1 go test -race -short ./...

.PHONY: conformance
conformance: ## run the end-to-end cases against moto_server too, a second implementation of AWS
	./scripts/conformance

.PHONY: terraform
terraform: ## check the Terraform module and its examples, with a stub of the AWS provider, if terraform is installed
	@./scripts/terraform

workflows := $(wildcard examples/github-actions/*.yml examples/github-actions/action/*.yml .github/workflows/*.yml)

.PHONY: lint
lint: lint-words ## check words, format, modules, vet, staticcheck, workflows, and the templates if cfn-lint is installed
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	go mod tidy -diff
	go vet -tags slow ./...
	$(linters) staticcheck -tags slow ./...
	cd tools && go mod tidy -diff && go vet ./... && go tool staticcheck ./... && go test ./...
	$(linters) actionlint -shellcheck= -pyflakes= $(workflows)
	@! grep -nE 'uses: *[^.].*@' $(workflows) action.yml setup/action.yml | grep -vE '@[0-9a-f]{40} # v' || { echo "pin these actions by commit"; exit 1; }
	@if command -v cfn-lint >/dev/null; then echo cfn-lint deploy/template.yaml deploy/registry.yaml; cfn-lint deploy/template.yaml deploy/registry.yaml; else echo "cfn-lint is not installed: the templates are checked by the Go tests alone"; fi

.PHONY: lint-words
lint-words: ## check words and the length of lines (in=internal/event for one directory)
	@go -C tools run ./words -root .. $(in)

.PHONY: fuzz
fuzz: ## fuzz every parser with 20,000 texts each (fuzztime=20000x; a time such as 30s works too)
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -ho '^func Fuzz[A-Za-z]*' $$package/*_test.go | cut -c6-); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(fuzztime) $$package; \
		done; done

.PHONY: model
model: ## check the convergence rule in the large cases too (minutes)
	CGO_ENABLED=0 go test -count=1 -timeout 3h -v -run 'TestEveryRunEndsRight|TestEveryTaskEndsRight|TestTaskKeys|TestTaskReduction' ./internal/ecsdeploy/converge -deeper

# seed=N repeats one history and prints it; count=N runs fewer, actors=all,-people leaves some out, checks=newest too.
.PHONY: histories
histories: ## run 20,000 random histories in fake time, with people, Terraform, deaths and faults (seed=N repeats one)
	@CGO_ENABLED=0 go test -count=1 -timeout 3h -v -run '^TestHistories$$' ./testbed/histories -histories $(or $(count),20000) -seed $(or $(seed),0) -actors $(or $(actors),all) -checks $(or $(checks),all)

.PHONY: bench
bench: ## compare the deployer with the shortest programs that do the same (eight minutes); status of 100 services
	@CGO_ENABLED=0 go run ./testbed/bench
	CGO_ENABLED=0 go test -run '^$$' -bench . -benchtime 20x ./internal/cli

.PHONY: soak
soak: ## deploy 20,000 times, and ignore 20,000 events, in one process: memory and files must not grow (minutes)
	@CGO_ENABLED=0 go run ./testbed/soak

.PHONY: replay
replay: ## deliver 10,000 events in disorder to sixteen real bootstraps, with faults, a person and Terraform (five minutes)
	@CGO_ENABLED=0 go run ./testbed/replay

.PHONY: storm
storm: ## push 50 services at once against ECS's rate limits, twice (a minute and a half)
	@CGO_ENABLED=0 go run ./testbed/storm

.PHONY: burst
burst: ## send bursts of 8 to 100 events for one service to real bootstraps, warm and cold (ten minutes)
	@CGO_ENABLED=0 go run ./testbed/burst

.PHONY: sam-local
sam-local: ## run one sample event in a container (file=PATH event=events/….json; needs SAM and Docker)
	sam build --template-file deploy/template.yaml && sam local invoke DeployerFunction --event $(or $(event),events/deploy-backend.json)

.PHONY: clean
clean: ## remove build output
	rm -rf bin $(dist) .aws-sam
