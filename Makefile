# Everything a newcomer needs. `make` alone lists it. Paths are relative, so the folder's own path may hold spaces.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
ARGS ?=
# Tests wait for servers more than they compute: five of them share two cores well. 0 runs them in one process.
WORKERS ?= 5
PORT ?=
SCENARIO ?=
REAL ?=
FAULTS ?=
export REAL

.PHONY: help setup demo run test quick lint lint-changed format bench campaign lab lock audit release servers clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## .venv with the locked dependencies, all of them
	@sh tools/setup.sh dev

demo: ## a trading desk and a Slack workspace on this machine [PORT=8080 SCENARIO=name REAL=1]
	@sh tools/setup.sh demo
	@exec $(PY) -m bot.cli demo $(if $(PORT),--port $(PORT)) $(if $(SCENARIO),--scenario $(SCENARIO)) $(ARGS)

run: ## the service itself, with the settings of the environment and .env
	@sh tools/setup.sh run
	@exec $(PY) -m bot.cli run $(ARGS)

test: setup servers ## every test, with real servers [ARGS='-k name']
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

quick: setup ## lint of what changed, beside it every test that starts no server: about a minute
	@lint=$$(mktemp); $(MAKE) lint-changed >$$lint 2>&1 & pid=$$!; status=0; \
	PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -q --quick -n 2 || status=1; \
	wait $$pid || status=1; cat $$lint; rm -f $$lint; exit $$status

lint-changed:
	@status=0; changed=$$(git diff --name-only --diff-filter=d HEAD -- '*.py'; git ls-files -o --exclude-standard -- '*.py'); \
	for check in "$(PY) -m ruff check $$changed" "$(PY) -m ruff format --check $$changed" "$(PY) -m mypy" ".venv/bin/lint-imports"; do \
		echo "$$check"; $$check || status=1; \
	done; exit $$status

servers: setup
	@sh tools/servers.sh

lint: setup ## ruff, mypy, import rules; all of them, also after a failure
	@status=0; \
	for check in "$(PY) -m ruff check ." "$(PY) -m ruff format --check ." "$(PY) -m mypy" ".venv/bin/lint-imports"; do \
		echo "$$check"; $$check || status=1; \
	done; exit $$status

format: setup ## let ruff write the files the way lint wants them
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: setup servers ## speed and memory, figures for docs/benchmarks.md [ARGS=names]
	@$(PY) -m bench $(ARGS)

campaign: setup servers ## kills, two replicas, a slow storm and outages, for long (docs/reliability.md) [ARGS='-k name']
	@rm -f artifacts/campaign.txt; CAMPAIGN=1 $(PY) -m pytest -n 1 --dist loadgroup tests/crash tests/contracts/test_store_outcomes.py \
		tests/contracts/test_store_faults.py tests/bot/test_repair.py tests/bot/test_connections.py $(ARGS); \
		status=$$?; cat artifacts/campaign.txt; exit $$status

lab: setup ## faults on the simulated desk, and the score of the verdicts [FAULTS=folder ARGS='--half development']
	@$(PY) -m demo.lab $(if $(FAULTS),--faults $(FAULTS)) $(ARGS)

lock: ## resolve requirements/*.txt again [ARGS=--upgrade]
	@sh tools/lock.sh $(ARGS)

audit: ## our code (bandit) and the locked packages (pip-audit, where its service can be reached)
	@sh tools/audit.sh

release: ## what a release brings: its packages (SBOM) and their licences [BASE_IMAGE=name:tag@sha256:…]
	@BASE_IMAGE=$(BASE_IMAGE) sh tools/audit.sh release

clean: ## remove what the targets above made, except var/
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis artifacts ./*.egg-info
	@find . -name __pycache__ -prune -exec rm -rf {} +
