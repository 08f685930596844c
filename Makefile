# The commands for users. Each target runs one script; make prints the script's exit status as `Error N`.
.DEFAULT_GOAL := help
# Recipes read variables of the command line (Q=, PATTERN=, ARGS=, FILE=) from the environment, exactly as typed. Otherwise make would
# expand every $ in them and run $(shell ...).
$(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(eval override $(name) := $$(value $(name)))$(eval export $(name))))

.PHONY: help up load rolling verify query logs lab backup restore save-images load-images down clean k8s-up k8s-load k8s-verify k8s-down test test-unit test-faults bench

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

up: ## set up and start the stack, send the lab's traffic once, verify it, show the URLs (ALERTS=1 API_REPLICAS=3 API_WORKERS=2)
	@scripts/stack.sh up

load: ## send more traffic, verify it, write a report: PATTERN=steady or ./my.yaml, ARGS="--rate 200 --duration 1m"
	@scripts/words.sh "$${PATTERN:-lab}" "$$ARGS" scripts/stack.sh load

rolling: ## restart 3 replicas one by one under 500 requests/s: no request may fail, no count may be lost (DURATION=180s)
	@scripts/words.sh '' "$$ARGS" scripts/rolling.sh

verify: ## compare everything the generator has sent with the counters in Prometheus, series by series
	@scripts/stack.sh verify

query: ## query Prometheus and print a table: Q='sum(http_requests_total)'
	@scripts/stack.sh query "$$Q"

logs: ## show the services' logs: make logs | grep <trace id>
	@scripts/stack.sh logs

lab: ## answer questions about the running stack, with hints and explanations (ANSWERS=1 shows the solutions)
	@scripts/lab.sh

backup: ## save Prometheus' data to a file: FILE=prometheus.tgz
	@scripts/backup.sh backup "$$FILE"

restore: ## replace Prometheus' data with that of such a file: FILE=prometheus.tgz
	@scripts/backup.sh restore "$$FILE"

save-images: ## save the stack's images to a file, for a machine without a registry: FILE=stack.tar
	@scripts/images.sh save "$$FILE"

load-images: ## load the images of such a file, which make up then starts without building: FILE=stack.tar
	@scripts/images.sh load "$$FILE"

down: ## stop the stack and keep its data
	@scripts/stack.sh down

clean: ## stop the stack, remove its data and the built images
	@scripts/stack.sh clean

k8s-up: ## like up, on the cluster of the current Kubernetes context (docs/kubernetes.md)
	@scripts/kubernetes.sh up

k8s-load: ## send traffic from SHARDS=4 pods there and verify it: PATTERN=steady ARGS="--rate 500" (ARGS=--stop ends a load)
	@scripts/words.sh "$${PATTERN:-lab}" "$$ARGS" scripts/kubernetes.sh load

k8s-verify: ## compare everything that was sent there with the counters in its Prometheus (ARGS=--rebase accepts their current values)
	@scripts/words.sh '' "$$ARGS" scripts/kubernetes.sh verify

k8s-down: ## remove the stack there; ARGS=--volumes removes the data too
	@scripts/words.sh '' "$$ARGS" scripts/kubernetes.sh down

test: ## run every check: lint, types, unit, promtool, integration
	@scripts/test.sh

test-unit: ## run the checks that need no container engine
	@scripts/test.sh unit

test-faults: ## break stacks under load, for half an hour; one row of docs/reliability.md: ARGS=disk-full
	@scripts/words.sh '' "$$ARGS" scripts/test.sh faults

bench: ## run the benchmarks and write the tables of the docs (QUICK=1 takes 90 seconds and writes nothing)
	@scripts/test.sh bench $${QUICK:+quick}
