# `make help` lists everything.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
# Some images forbid Python to keep what it has compiled. Laurel is many processes, here and in its
# tests, and each of them would compile a thousand modules again.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
# Tests of whole processes wait a lot: two workers a core overlap their waiting. Eight at most: a
# container sees its host's cores whatever its share of them, and all share one PostgreSQL.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(8, 2 * (os.cpu_count() or 1)))')
PROJECTS := $(wildcard pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml proto/gen/python/pyproject.toml)
SOURCES := libs services cli tests bench tools
MYPY_TARGETS := $(wildcard libs/*/src services/*/src cli/src tools tests bench examples)
IMAGE := build/protos.binpb
# What starts as a process: imported once by setup, so that the first start finds it compiled.
ENTRIES := laurel_cli.commands.up, laurel_cli.stack.migrating, laurel_identity.__main__, laurel_ingest.__main__, laurel_leaderboard.__main__, laurel_scoring.__main__

# The main that callers know: where this commit is origin's main already, the one before it.
# `make lint BASE=` leaves the comparison out.
BASE ?= $(shell main=$$(git rev-parse --verify --quiet origin/main); \
	if [ -n "$$main" ] && [ "$$main" != "$$(git rev-parse HEAD)" ]; then echo $$main; \
	else git rev-parse --verify --quiet HEAD~1; fi)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@{ $(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet uv==$(UV_VERSION); } \
		|| { rm -rf .tools && $(PYTHON) -m pip install --quiet --target .tools uv==$(UV_VERSION); }

$(VENV)/.synced: uv.lock $(PROJECTS) | $(filter .tools/bin/uv,$(UV))
	@$(UV) sync --locked --quiet --all-packages
	@$(BIN)/python -m laurel_scoring.warm_up
	@$(BIN)/python -c 'import $(ENTRIES)'
	@touch $@

.PHONY: setup
setup: $(VENV)/.synced ## Install everything into .venv from the lock file, and compile the engine

.PHONY: demo
demo: setup ## Show the main job: activity in, boards out (GIT=path, ARCHIVE=file for your own)
	@$(BIN)/laurel demo $(if $(GIT),--git "$(GIT)") $(if $(ARCHIVE),--archive "$(ARCHIVE)")

.PHONY: up
up: setup ## Run PostgreSQL, Valkey and the four services until Ctrl-C
	@$(BIN)/laurel up

.PHONY: migrate
migrate: setup ## Bring LAUREL_DATABASE_URL's schema up to date
	@$(BIN)/laurel migrate

.PHONY: test
test: setup ## Run the tests (ARGS="-k name" for some of them)
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(ARGS)

.PHONY: lint
lint: setup lint-python lint-proto ## Check style, types and contracts

.PHONY: lint-python
lint-python: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy $(MYPY_TARGETS)

.PHONY: lint-proto
lint-proto: setup
	@$(BIN)/python tools/genproto.py --image $(IMAGE)
	@$(BIN)/buf lint $(IMAGE) --config proto/buf.yaml
	@$(BIN)/buf format proto --diff --exit-code
	@$(BIN)/python tools/breaking.py --image $(IMAGE) --base "$(BASE)"

.PHONY: format
format: setup ## Format code and protos
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/buf format -w proto

.PHONY: proto
proto: setup ## Generate proto/gen/python
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/genproto.py

.PHONY: bench
bench: setup ## Measure against named limits (ARGS="reads" for one of them)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: clean
clean: ## Remove what was made, the environment included
	@rm -rf build .venv .tools .laurel .mypy_cache .ruff_cache .pytest_cache .hypothesis
