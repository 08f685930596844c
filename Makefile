# What a person types. Each target is one script; the script's own exit status is shown by make as `Error N`.
.DEFAULT_GOAL := help
.PHONY: help up load verify down clean logs k8s-up k8s-load k8s-verify k8s-down test test-unit lint format types bench generate
PATTERN ?= lab

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

up: ## set up what is missing, start the stack, send the lab's traffic once, prove it, show the URLs (ALERTS=1 API_REPLICAS=3)
	@scripts/stack.sh up

load: ## more traffic, proven, and a page of it: PATTERN=steady or ./my.yaml, ARGS="--rate 200 --duration 1m"
	@scripts/stack.sh load $(PATTERN) $(ARGS)

verify: ## compare everything the generator has sent with what Prometheus holds, series by series
	@scripts/stack.sh verify

logs: ## follow the services' logs
	@scripts/stack.sh logs

down: ## stop the stack; the data stays
	@scripts/stack.sh down

clean: ## stop the stack, remove its data and the images built here
	@scripts/stack.sh clean

k8s-up: ## the same on the cluster of the current Kubernetes context (docs/kubernetes.md)
	@scripts/kubernetes.sh up

k8s-load: ## traffic from SHARDS=4 pods there, proven: PATTERN=steady ARGS="--rate 500"
	@scripts/kubernetes.sh load $(PATTERN) $(ARGS)

k8s-verify: ## compare everything that has been sent there with what its Prometheus holds
	@scripts/kubernetes.sh verify

k8s-down: ## remove the stack there; ARGS=--volumes removes the data too
	@scripts/kubernetes.sh down $(ARGS)

test: ## every check: lint, types, unit, promtool, integration
	@scripts/test.sh

test-unit: ## the checks that need no container engine
	@scripts/test.sh unit

bench: ## the benchmarks, with the peers beside
	@scripts/bench.sh

lint: ## Biome
	@npm run --silent lint

format: ## let Biome format everything
	@npm run --silent format

types: ## the TypeScript compiler, without output
	@npm run --silent types

generate: ## write anew what is made of other files: the dashboards' JSON, the PrometheusRule
	@npm run --silent generate --workspace grafana --workspace kubernetes
