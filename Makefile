# Everything that people and CI run. `make` alone lists the targets. Only Python 3.11 or newer must be installed before.

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

# Said before the dependencies are installed: what comes after them.
demo test test-full soak bench controlplane: NEXT = ; then, if none is cached, a control plane is built: about six minutes

demo: $(READY) ## Run order sagas on a real API server: they succeed, fail and are undone (KEEP=1 keeps everything running)
	@KEEP=$(KEEP) $(BIN)/python -m examples.order.demo

test: $(READY) ## Run all tests, end to end on a real kube-apiserver and etcd
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m tests.helm.programs
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

test-full: $(READY) ## Run all tests, the long matrices included
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m tests.helm.programs
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "full or not full"

soak: $(READY) ## Run mixed sagas for MINUTES=10 while everything around them fails again and again
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(READY) ## Measure the operator against the API server alone; takes eight minutes on an otherwise idle machine
	@$(BIN)/python -m tests.controlplane --build-only >/dev/null
	@$(BIN)/python -m bench

check: $(READY) ## Check style, types, layers between modules, and that generated files are up to date
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

controlplane: $(READY) ## Run a real control plane until Ctrl-C; prints the KUBECONFIG to export
	@$(BIN)/python -m tests.controlplane

generate: $(READY) ## Generate crds/, the chart's copy and docs/reference.md from the models, and other docs from tests and measurements
	$(BIN)/python -m flow_operator.api.crd
	$(BIN)/python -m flow_operator.api.reference
	$(BIN)/python -m helm.documentation
	$(BIN)/python -m tests.reliability
	$(BIN)/python -m bench.page
	$(BIN)/python -m helm.monitoring
	$(BIN)/python -m tests.helm.manifest

lock: $(READY) ## Resolve and lock the dependencies, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra otlp pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements.txt --extra otlp pyproject.toml --group dev --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements-dev.txt --group build --output-file requirements-build.txt

clean: ## Remove the virtual environment and the caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamp depends on the lock, so a changed lock is installed, and an unchanged one costs nothing.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Flow needs Python 3.11 or newer: $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.13"; exit 1; }
	@echo "Setting up, once: locked dependencies into $(VENV), about a minute$(NEXT)."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
