# Everything a person or CI does here. `make` alone lists it. Python 3.11 or newer is all that must be there before.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KEEP ?=
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help demo test test-full soak bench check controlplane generate lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Run the order saga on a real API server and watch it succeed, fail and be undone (KEEP=1 leaves it up)
	@KEEP=$(KEEP) $(BIN)/python -m examples.order.demo

test: $(READY) ## Run all tests, end to end on a real kube-apiserver and etcd
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m tests.helm.programs
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

test-full: $(READY) ## Run all tests and the long matrices as well
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m tests.helm.programs
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "full or not full"

soak: $(READY) ## Run mixed sagas for MINUTES=10 while everything around them keeps failing
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(READY) ## Measure the operator beside the API server alone; about eight minutes, with nothing else running
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m bench

check: $(READY) ## Check style, types, layers, and that generated files are current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m flow_operator.api.crd --check
	$(BIN)/python -m flow_operator.api.reference --check
	$(BIN)/python -m helm.documentation --check
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m tests.reliability --check
	$(BIN)/python -m bench.page --check
	$(BIN)/python -m helm.monitoring --check

controlplane: $(READY) ## Keep a real control plane up for yourself; prints the KUBECONFIG line, ends on Ctrl-C
	@$(BIN)/python -m tests.controlplane

generate: $(READY) ## Write crds/, the chart's copy and docs/reference.md from the models, other docs from tests and measurements
	$(BIN)/python -m flow_operator.api.crd
	$(BIN)/python -m flow_operator.api.reference
	$(BIN)/python -m helm.documentation
	$(BIN)/python -m tests.reliability
	$(BIN)/python -m bench.page
	$(BIN)/python -m helm.monitoring
	$(BIN)/python -m tests.helm.manifest

lock: $(READY) ## Resolve the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra otlp pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements.txt --extra otlp pyproject.toml --group dev --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements-dev.txt --group build --output-file requirements-build.txt

clean: ## Remove the virtual environment and caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamp depends on the lock, so a changed lock is installed, and an unchanged one costs nothing.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Flow needs Python 3.11 or newer: $(PYTHON) is $$($(PYTHON) --version). Say which: make PYTHON=python3.13"; exit 1; }
	@test -x $(BIN)/python || { echo "Making the virtual environment $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing locked dependencies …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
