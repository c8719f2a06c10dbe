# Two commands matter to a newcomer: `make demo` and `make test`. `make help` lists the rest.
# Needs Python 3.11 or newer and a package index; everything else is installed into .venv from the lock files.
PYTHON ?= python3
BIN := .venv/bin
# The suite runs on three processes, for many a test waits; `make test WORKERS=0` runs it in one, for a debugger.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo ui test check fix faults hunt bench lock clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: .venv/.runtime ## four tenants, every source, golden people: about three minutes, and again whenever you like
	@$(BIN)/gtm demo

ui: .venv/.runtime ## the Dagster web UI on http://127.0.0.1:3000, with its daemon: schedules and sensors run
	@$(BIN)/gtm ui

test: .venv/.dev ## the whole suite, offline but for loopback
	@$(BIN)/python -m pytest -n $(WORKERS)

check: .venv/.dev ## format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: .venv/.dev ## format, and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

faults: .venv/.dev ## on each warehouse fifty trials of kills and crashes, a hundred double launches; prints what plays a failure again
	@$(BIN)/python -m tests.faults.campaign

hunt: .venv/.dev ## a whole demo on each kind of database, then every credential is looked for in all that it left
	@$(BIN)/python -m tests.faults.hunted_demo

bench: .venv/.dev ## records per second and peak memory beside the plain way, in one run
	@$(BIN)/python -m tests.benchmarks.run

lock: .venv/.installer ## resolve the lock files again from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -c requirements.lock -o requirements/dev.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements/kubernetes.in -c requirements.lock -o requirements/kubernetes.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements/installer.in -o requirements/installer.lock

clean: ## remove the environment and everything the demo made
	rm -rf .venv .gtm .env

.venv/.installer: requirements/installer.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.lock
	@touch $@

# An editable install without build isolation: the build needs nothing that the lock did not pin.
.venv/.runtime: .venv/.installer requirements.lock pyproject.toml
	@echo "installing the locked packages"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.lock
	@echo "installing the development packages"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@touch $@
