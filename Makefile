PYTHON ?= python3
BIN := .venv/bin
PROJECTS := . plugins/lottery plugins/quiz
ARGS ?=

# pip installs exactly what a lock file names: it neither reads requirements nor chooses versions.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-strip-extras --no-emit-index-url --no-header

# If this is set, each process compiles every module again, which takes longer than many tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-dev run test lint format docs lock benchmarks clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

install: .venv/.installed ## Create .venv with the dependencies of a host

install-dev: .venv/.installed-dev ## Add the tools for development to .venv

.venv/.installed: requirements.lock $(PROJECTS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	  "mymozhem needs Python 3.11 or newer, and $(PYTHON) is Python %d.%d. Name a newer one: make PYTHON=/path/to/python" \
	  % sys.version_info[:2])'
	@echo "Installing the locked dependencies into .venv (once; about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-build-isolation $(PROJECTS:%=-e %)
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@echo "Installing the tools for development into .venv (once; about a minute) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

run: install ## Run an event on this machine (ARGS="--script" plays it automatically)
	$(BIN)/mymozhem demo $(ARGS)

test: install-dev ## Run the tests (ARGS="-k draw" selects tests, ARGS=--cov measures coverage)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -rfEs $(ARGS)

lint: install-dev ## Check style, types and the import direction
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install-dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: install-dev ## Generate the pages of docs/reference from the code
	$(BIN)/python -m tests.docs.write

lock: ## Update both lock files (needs uv; ARGS="--upgrade" selects newer versions)
	$(COMPILE) --group dev pyproject.toml -o requirements-dev.lock $(ARGS)
	$(COMPILE) --group editable -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(PYTHON) .ci/spell_out_extras.py requirements.lock requirements-dev.lock

benchmarks: install-dev ## Run the benchmarks of docs/reference/benchmarks.md (ARGS=--write)
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean: ## Remove .venv and every cache, but no data
	rm -rf .venv build dist htmlcov .coverage .coverage.* .hypothesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
