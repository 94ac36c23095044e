# Everything a person or CI runs. Needs Python 3.11+, git, make and the package registries; the rest is fetched into .venv.
# Each stamp stands for an installed set of requirements: repeat runs cost nothing, and a changed file installs again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := bot commands platform_adapters storage

# uv does not read pip's settings, so the index that pip was told to use, by environment or by file, is passed on to it.
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
UV = index=$$($(BIN)/pip config list | sed -n "s/^.*\.index-url='\(.*\)'$$/\1/p" | tail -n 1); \
	test -z "$$UV_DEFAULT_INDEX$$UV_INDEX_URL" || index=; \
	$${index:+env UV_DEFAULT_INDEX="$$index"} $(BIN)/uv

# pip is slower but honours every pip setting of the machine, so it takes over where uv cannot reach the registry.
# Compiled once here, because without bytecode every start of the bot or of a test run costs seconds.
define install_requirements
@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r $(1) \
	|| { echo "uv could not install $(1); trying pip, which takes a minute or two"; \
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --compile -r $(1); }
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo tour test check bench format requirements clean

help: ## say what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

install: $(VENV)/.dev ## install everything into .venv, tools for development included

demo: $(VENV)/.runtime ## start the bot with stand-ins for Slack, Discord and the networks, and print one address
	$(BIN)/python -m bot demo

test: $(VENV)/.dev ## run every test that this machine can run; with CI=true nothing may be left out
	$(BIN)/pytest

check: $(VENV)/.dev ## format, lint, types, import contracts, dead code, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry $(PACKAGES)

tour: $(VENV)/.dev ## photograph what six kinds of people see in the playground, into tour/ (needs Chromium)
	$(BIN)/python -m tests.e2e.tour tour

bench: $(VENV)/.dev ## measure the design's budgets beside bare baselines
	$(BIN)/python bench/run.py

format: $(VENV)/.dev ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: $(VENV)/.uv ## compile the hashed requirements again; UPGRADE=--upgrade takes newer versions
	@$(UV) pip compile $(UPGRADE) $(COMPILE) pyproject.toml -o requirements/runtime.txt
	@$(UV) pip compile $(UPGRADE) $(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(UV) pip compile $(UPGRADE) $(COMPILE) requirements/uv.in -o requirements/uv.txt

# Universal: one file for Linux and macOS and for every Python from 3.11. No index URL may end up in it.
COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --no-header

clean: ## remove .venv and what the tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lapsebot needs Python 3.11 or newer, this is " + sys.version)'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.uv: requirements/uv.txt $(VENV)/.created
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $@

$(VENV)/.runtime: requirements/runtime.txt $(VENV)/.uv
	$(call install_requirements,requirements/runtime.txt)
	touch $@

# The runtime requirements are part of the development ones, hence the touch of both stamps.
$(VENV)/.dev: requirements/dev.txt requirements/runtime.txt pyproject.toml $(VENV)/.uv
	$(call install_requirements,requirements/dev.txt)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	touch $(VENV)/.runtime $@
