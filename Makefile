# Each target sets up what it needs in .venv (own virtual environment, pinned packages, nothing global) and may be run twice.
#   make demo     watch the seed policy improve      make test     the tests
#   make smoke    the same loop, scripted, < 1 min   make lint     lint and types only
#   make seed     train the shipped seed policy      make bench    every measurement under bench/
#   make proofs   the longest tests at full length, some 30 minutes
#   make ui       Prefect's UI, the nightly schedule   make chaos   kill -9 of everything, in every stage
#   make kills    processes killed and crowded for some minutes
#   make operations   servers, schedules, a browser: what `flywheel up` promises
# LOCK=cpu or LOCK=gpu chooses the environment; without it a machine with nvidia-smi gets gpu. pip's own PIP_* settings hold.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := demo
.PHONY: demo ui smoke seed test kills operations chaos proofs lint bench clean setup

LOCK ?= $(if $(shell command -v nvidia-smi),gpu,cpu)
$(if $(wildcard locks/$(LOCK).txt),,$(error there is no locks/$(LOCK).txt: LOCK is cpu or gpu))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed-$(LOCK)

demo: $(STAMP)
	$(BIN)/flywheel run demo

ui: $(STAMP)
	$(BIN)/flywheel up

smoke: $(STAMP)
	$(BIN)/flywheel run smoke

seed: $(STAMP)
	$(BIN)/flywheel bootstrap

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

kills: $(STAMP) # some four minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m killing $(PYTEST_ARGS)

operations: $(STAMP) # the browser is Debian's chromium; without one those tests say so and are skipped
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m operations --timeout 900 $(PYTEST_ARGS)

chaos: $(STAMP) # kill -9 of task, flow, runner, server and everything, in every stage; goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.chaos $(CHAOS_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

proofs: $(STAMP) # thousands of random plans and expressions; a run killed at a hundred moments; every attack at the full limits
	PLANS=1000 $(BIN)/python -m pytest tests/test_plan_agreement.py --timeout 1800
	KILLS=100 $(BIN)/python -m pytest tests/test_kill.py -m killing --timeout 1800
	EQUIVALENCE_EXAMPLES=5000 $(BIN)/python -m pytest tests/test_equivalence_properties.py --timeout 1800
	$(BIN)/python bench/program_verdicts.py
	$(BIN)/python bench/program_verdicts.py --as-nobody

bench: $(STAMP)
	set -e; for program in bench/[a-z]*.py; do case $$program in */chaos.py) continue;; esac; echo "== $$program"; $(BIN)/python $$program; done

clean: # the environment and caches; runs/ is yours and stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(STAMP)

# pyproject.toml is here because it names the packages and the command of the editable install.
$(STAMP): locks/$(LOCK).txt pyproject.toml
	@./.ci/setup $(LOCK) $(VENV)
	@rm -f $(VENV)/installed-* && touch $@
