# `make` lists the targets. Needs Python 3.11 or newer; Java and Maven only for targets that run Apache Kafka.
# ARGS="…" passes options on.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
ARGS ?=
# Tests wait more than they compute, so more processes than cores are useful.
WORKERS ?= 4
BIN := .venv/bin
SETUP := .venv/.done

.PHONY: help setup demo test test-fast mutants check format docs lock bench bench-parts chaos kafka clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(SETUP) ## create .venv with the locked dependencies; again only when the lock changes

# The lock lists every package with its hash, so a new release of a dependency cannot break an installation.
$(SETUP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Hubbub needs Python 3.11 or newer. Choose one: make PYTHON=python3.11 setup'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo 'Python lacks venv. On Debian and Ubuntu: sudo apt-get install python3-venv'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: setup ## the whole system on this machine, with simulated platforms: no account, no network
	$(BIN)/hubbub demo $(ARGS)

test: setup ## all tests that this machine can run; lists what was skipped and why
	@.ci/chromium
	$(BIN)/python -m pytest -m 'not mutation' --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder --durations=20 \
		--cov --cov-report= $(ARGS)
	$(BIN)/python -m tests.coverage_floors

test-fast: setup ## tests that need neither broker nor browser, in about a minute
	$(BIN)/python -m pytest -m 'not broker and not slow and not browser' $(ARGS)

mutants: setup ## check that the tests catch deliberate faults in the scoring (minutes)
	$(BIN)/python -m pytest -m mutation $(ARGS)

check: setup ## format, lint, types, imports, dependencies, English, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m pytest --quiet --numprocesses=$(WORKERS) tests/test_architecture.py tests/docs

format: setup ## format the code and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## write the generated parts of docs/ from the code
	$(BIN)/python -m tests.docs.tables

lock: ## lock the dependencies of pyproject.toml, keeping what is locked already
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(PYTHON) -m venv "$$folder" \
		&& "$$folder/bin/python" -m pip install --quiet --disable-pip-version-check uv \
		&& "$$folder/bin/uv" pip compile --quiet --universal --generate-hashes --extra embedded --extra dev \
			pyproject.toml --output-file requirements.lock $(ARGS)

bench: setup ## Hubbub and other stream processors at the same job on Apache Kafka (a quarter of an hour)
	@mkdir -p .local/bench
	$(BIN)/python -m benchmarks.compare --json .local/bench/compare.json --plot .local/bench/compare.svg $(ARGS)

bench-parts: setup ## the cost of single parts: signals, scoring, brokers
	@set -e; for bench in benchmarks/bench_*.py; do \
		name=$${bench#benchmarks/}; echo "== $${name%.py}"; $(BIN)/python -m "benchmarks.$${name%.py}"; done

chaos: setup ## kill, stop and poison everything for 3 minutes; ARGS="--minutes 1 --seed 7"
	$(BIN)/python -m tests.system.chaos $(ARGS)

kafka: ## run Apache Kafka on 127.0.0.1:9092 until Ctrl-C (Java 17; Maven the first time)
	@exec $(PYTHON) deploy/kafka/cluster.py $(ARGS)

clean: ## remove everything generated, including the data of `make kafka`
	rm -rf .venv .local .coverage htmlcov build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
