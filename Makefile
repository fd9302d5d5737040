# Everything a fresh clone needs: Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?= --symbol BTC/USD

.PHONY: backtest live test lint bench clean

backtest: $(VENV)/.installed  ## a first result, with or without an exchange in reach
	@$(BIN)/algotrade backtest $(ARGS)

live: $(VENV)/.installed  ## watch a strategy trade on the simulated market
	@$(BIN)/algotrade live --exchange demo --speed 60

test: $(VENV)/.tested  ## what CI runs: lint, types, layers, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2 --dist loadfile --cov --cov-report=term --cov-fail-under=90

bench: $(VENV)/.tested  ## speed, as ratios side by side
	$(BIN)/python bench/run.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tested: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group test
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
