# What a person types. Each target is one script; the script's own exit status is shown by make as `Error N`.
.DEFAULT_GOAL := help
.PHONY: help up load verify down clean logs test test-unit lint format types bench generate
PATTERN ?= lab

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

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

test: ## every check: lint, types, unit, promtool, integration
	@scripts/test.sh

test-unit: ## the checks that need no container engine
	@scripts/test.sh unit

bench: ## the benchmarks, with the peers beside; writes the tables of the docs (QUICK=1 is a look of 90 seconds that writes nothing)
	@scripts/bench.sh $(if $(QUICK),quick)

lint: ## Biome
	@npm run --silent lint

format: ## let Biome format everything
	@npm run --silent format

types: ## the TypeScript compiler, without output
	@npm run --silent types

generate: ## write the JSON of the dashboards anew from their TypeScript
	@npm run --silent generate --workspace grafana
