PYTHON ?= python3
BIN := .venv/bin
PROJECTS := . plugins/lottery plugins/quiz
ARGS ?=

# Where this is set, each process compiles every module again, which takes longer than many a test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run test lint format docs lock benchmarks clean

help: ## List what can be typed here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

install: .venv/.installed ## Make .venv with the locked dependencies and the three packages

.venv/.installed: requirements.lock $(PROJECTS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("mymozhem needs Python 3.11 or newer: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation $(PROJECTS:%=-e %)
	@touch $@

run: install ## Run an event on this machine (ARGS="--script" plays it alone)
	$(BIN)/mymozhem demo $(ARGS)

test: install ## Run the tests (ARGS="-k draw" picks some, ARGS=--cov tells what they reach)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -rs $(ARGS)

lint: install ## Check style, types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## Write the code as the formatter likes it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: install ## Write the pages of docs/reference that follow from the code
	$(BIN)/python -m tests.docs.write

lock: ## Renew requirements.lock (needs uv; ARGS="--upgrade" takes newer versions)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements.lock $(ARGS)

benchmarks: install ## Measure what docs/reference/benchmarks.md reports (ARGS=--write)
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean: ## Remove .venv and every cache, but no data
	rm -rf .venv build dist htmlcov .coverage .coverage.* .hypothesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
