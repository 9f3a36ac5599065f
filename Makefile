# One word a chore.  `make run` and `make test` set up what they need.
#   make run PORT=8001                       another port; beside another program also T4DM_DATA_DIR=...
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu    the small CPU build of torch

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TORCH_INDEX ?=
INSTALLED := $(VENV)/.installed-$(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
COMPILED := $(VENV)/.compiled-$(shell cat t4dm/kernels/*.py | cksum | cut -d ' ' -f 1)
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# A module is one piece of work; they are begun in their order, the long ones are not left to the end.
PARALLEL := -n auto --dist loadscope --no-loadscope-reorder
# A browser on a busy machine: what fails is tried once more, and named in the summary (decision 31).
ONCE_MORE := --reruns 1 -r R

.DEFAULT_GOAL := run
.PHONY: setup run test lint format bench docs clean

setup: $(COMPILED)

$(INSTALLED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifneq ($(TORCH_INDEX),)
	$(BIN)/python -m pip install --quiet -c constraints.txt --extra-index-url $(TORCH_INDEX) torch
endif
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	rm -f $(VENV)/.installed-*
	touch $@

$(COMPILED): $(INSTALLED)
	@echo "compiling the kernels (once)"
	$(BIN)/python -m t4dm.live.warm
	rm -f $(VENV)/.compiled-*
	touch $@

run: setup
	@exec $(BIN)/python -m dashboard.launch

test: setup lint
	$(BIN)/python -m tools.find_chromium
	$(BIN)/python -m pytest tests/unit $(PARALLEL)
	$(BIN)/python -m pytest tests/api tests/faults $(PARALLEL)
	$(BIN)/python -m pytest tests/browser $(ONCE_MORE)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	for program in $(filter-out benchmarks/bench_peers%,$(wildcard benchmarks/bench_*.py)); do \
	    $(BIN)/python $$program || exit 1; done

docs: setup
	$(BIN)/python -m tools.write_parameter_docs
	$(BIN)/python -m tools.write_health_docs
	$(BIN)/python -m tools.write_api_docs
	$(BIN)/python -m tools.write_performance_docs
	$(BIN)/python -m tools.write_reliability_docs
	$(BIN)/python -m tools.write_training_docs

clean:
	rm -rf $(VENV) *.egg-info build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
