# The commands of a user. Each target is one script; make prints the script's own exit status as `Error N`.
.DEFAULT_GOAL := help
# Recipes read what is given on the command line (Q=, PATTERN=, ARGS=, FILE=) from their environment, as it was typed: without
# this make would expand a $ in it, and run $(shell ...), on the way there.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(eval override $(name) := $$(value $(name)))$(eval export $(name))))

.PHONY: help up load rolling verify query lab backup restore save-images load-images down clean k8s-up k8s-load k8s-verify k8s-down test test-unit test-faults bench audit

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

up: ## set up what is missing, start the stack, send the lab's traffic once, verify it, show the URLs (ALERTS=1 API_REPLICAS=3 API_WORKERS=2)
	@scripts/stack.sh up

load: ## more traffic, verified, and a page of it: PATTERN=steady or ./my.yaml, ARGS="--rate 200 --duration 1m"
	@scripts/words.sh "$${PATTERN:-lab}" "$$ARGS" scripts/stack.sh load

rolling: ## 3 replicas, each restarted in turn, under 500 requests/s: none may fail, no count may be lost (DURATION=180s)
	@scripts/words.sh '' "$$ARGS" scripts/rolling.sh

verify: ## compare everything the generator has sent with what Prometheus holds, series by series
	@scripts/stack.sh verify

query: ## ask Prometheus, and print a table: Q='sum(http_requests_total)'
	@scripts/stack.sh query "$$Q"

lab: ## questions about the running stack, with hints, and a grader that explains (ANSWERS=1 shows the solutions)
	@scripts/lab.sh

backup: ## Prometheus' data into a file: FILE=prometheus.tgz
	@scripts/backup.sh backup "$$FILE"

restore: ## Prometheus' data from such a file, in the place of what it has
	@scripts/backup.sh restore "$$FILE"

save-images: ## the images of the stack into a file, for a machine without a registry: FILE=stack.tar
	@scripts/images.sh save "$$FILE"

load-images: ## the images of such a file onto this machine; BUILD_IMAGES=no make up starts them as they are
	@scripts/images.sh load "$$FILE"

down: ## stop the stack; the data stays
	@scripts/stack.sh down

clean: ## stop the stack, remove its data and the images built here
	@scripts/stack.sh clean

k8s-up: ## the same on the cluster of the current Kubernetes context (docs/kubernetes.md)
	@scripts/kubernetes.sh up

k8s-load: ## traffic from SHARDS=4 pods there, verified: PATTERN=steady ARGS="--rate 500"
	@scripts/words.sh "$${PATTERN:-lab}" "$$ARGS" scripts/kubernetes.sh load

k8s-verify: ## compare everything that has been sent there with what its Prometheus holds
	@scripts/kubernetes.sh verify

k8s-down: ## remove the stack there; ARGS=--volumes removes the data too
	@scripts/words.sh '' "$$ARGS" scripts/kubernetes.sh down

test: ## every check: lint, types, unit, promtool, integration
	@scripts/test.sh

test-unit: ## the checks that need no container engine
	@scripts/test.sh unit

test-faults: ## kills, fills, stops and interrupts stacks under load, in 20 minutes; one row of docs/reliability.md: ARGS=disk-full
	@scripts/words.sh '' "$$ARGS" scripts/test.sh faults

bench: ## the benchmarks, with their peers; writes the tables of the docs (QUICK=1 is a look of 90 seconds that writes nothing)
	@scripts/test.sh bench $${QUICK:+quick}

audit: ## ask the registry for known flaws of the dependencies, of level high and above
	@npm audit --audit-level high
