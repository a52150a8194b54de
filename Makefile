# Every task has its script in scripts/; this file names them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run run-local topics image push hooks cluster test chaos cluster-chaos model fuzz difference soak bench microbench gzip-cost growth backlog build clean

help: ## this list
	@awk -F ':.* ## |: ## ' 'NF == 2 && /^[a-z-]+/ { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and start the server; options by environment, such as make run RAW_BUCKET=events
	@scripts/run.sh

run-local: run ## the same as run

topics: ## build and start the server with SERVE=topics and a PostgreSQL in var/postgres, and print lines to try; TOPICS_DATABASE=… takes another
	@scripts/topics.sh

image: ## build the Docker images estat and estat-cluster; TAG=… instead of the commit's name
	@scripts/image.sh build

push: ## build the images and bring them to REGISTRY=….dkr.ecr.REGION.amazonaws.com (or any other registry), TAG=…
	@scripts/image.sh push

hooks: ## install the check of commit messages that CONTRIBUTING.md describes
	@cp scripts/commit-msg.sh "$$(git rev-parse --git-path hooks)/commit-msg" && echo "Installed."

cluster: ## build and start a cluster here: Redis (CLUSTERING=dynamodb: DynamoDB), 3 silos, 2 gateways; options by environment: RAW_BUCKET=events
	@scripts/cluster.sh

test: ## build and run all tests; FILTER=text takes those with text in the class or method name
	@scripts/test.sh "$$FILTER"

chaos: ## kill -9, outages, full disks and wrong clocks under load for DURATION=5m, each event audited; SEED= ROUND= LEVEL= SCENARIO= choose
	@scripts/chaos.sh --duration "$${DURATION:-5m}" --seed "$$SEED" --round "$$ROUND" --level "$$LEVEL" --scenario "$$SCENARIO"

cluster-chaos: ## kill -9 for silos of a cluster under load for DURATION=5m, each event audited; LEVEL=replica|disk CLUSTERING=redis|dynamodb RATE=5000 SEED= SCENARIO= choose
	@scripts/cluster-chaos.sh --duration "$${DURATION:-5m}" --level "$$LEVEL" --rate "$$RATE" --seed "$$SEED" --scenario "$$SCENARIO"

fuzz: ## hostile requests against the real server; DURATION=2m, SEED=N repeats a run, SEED=N CASE=M one case of it
	@scripts/fuzz.sh

difference: ## the same bytes to a server with the fast door and to one without; DURATION=10m, SEED=N repeats a run, SEED=N CASE=M one case of it
	@scripts/fuzz.sh difference

soak: ## cheap attacks on a 512 MB server for DURATION=5m while an honest client sends; MEMORY=512 RATE=1000 ONLY=attack; needs root and cgroups
	@scripts/soak.sh

model: ## power cuts over many more seeds than test tries; ESTAT_MODEL_SEEDS=n, or ESTAT_MODEL_SEED=n to repeat one
	@scripts/model.sh

bench: build ## everything beside what limits it, medians of ROUNDS=5 turns of SECONDS=5; ONLY=collect,batch,… takes parts, PUBLISH=1 keeps it in docs/, AGAINST=…/Estat.Api.dll measures another build beside it (ONLY=before,before-batch)
	@scripts/bench.sh "$(ROUNDS)" "$(SECONDS)" "$(ONLY)" "$(PUBLISH)" "$(AGAINST)"

microbench: build ## hot classes alone, by BenchmarkDotNet; FILTER='*Escaper*' takes those that match
	@scripts/microbench.sh --filter "$${FILTER:-*}"

gzip-cost: build ## µs of CPU and bytes an event at each GZIP_LEVEL, beside zlib-ng itself; LINES=file.jsonl: on your own lines
	@scripts/microbench.sh gzip $${LINES:+--lines "$$LINES"}

growth: build ## what an event costs along WHAT=connections|partitions|bodies|time; ROUNDS=5 SECONDS=5, for time MINUTES=20; SOCKETS=pool|inline
	@scripts/growth.sh "$(WHAT)" "$(ROUNDS)" "$(SECONDS)" "$(MINUTES)" "$(SOCKETS)"

backlog: build ## GB=10 of events wait on disk while storage is away (HOW=hung|stopped); prints memory, drain rate and the latency of new events
	@scripts/backlog.sh "$${GB:-10}" "$${HOW:-hung}"

build: ## build everything in Release
	@scripts/build.sh

clean: ## remove what builds produced
	@rm -rf artifacts
