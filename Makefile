# `make lab` opens the course, `make test` proves it works. Both make their own environment in .venv first.
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := test,mnist,cifar,site
.DEFAULT_GOAL := help
.PHONY: help lab test test-stacks test-pages test-site site bench mutants notebooks lesson record binder-check core-check lint format constraints clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

lab: $(VENV)/.lab  ## set everything up and open the course in JupyterLab (make lab ARGS="--port 8899 --no-browser")
	@$(BIN)/grda-edu lab $(ARGS)

test: lint  ## set everything up and run linters, type checker and all tests
	@$(BIN)/python -m tools.chromium
	@$(BIN)/python -m pytest $(ARGS)

test-stacks: $(VENV)/.stacks  ## the optimizer on several processes, under compilers, in Lightning and others: minutes
	@$(BIN)/python -m pytest --stacks $(ARGS) tests/stacks

test-pages: $(VENV)/.test  ## every figure at several widths, light and dark: nothing cut off, pale or jumping, and what moves is the table's; three lessons of four in JupyterLab; minutes
	@$(BIN)/python -m tools.chromium
	@$(BIN)/python -m pytest --pages --require-browser $(ARGS) tests/browser/test_pages.py tests/browser/test_moving.py tests/browser/test_lessons.py

test-site: $(VENV)/.test  ## build the web edition and open every page of it, offline, by phone, without scripts; minutes
	@$(BIN)/python -m tools.chromium
	@$(BIN)/python -m pytest --site --require-browser $(ARGS) tests/browser/test_edition.py

site: $(VENV)/.site  ## build the web edition into build/site: open build/site/index.html
	@$(BIN)/python -m tools.site $(ARGS)

bench: $(VENV)/.test  ## print the benchmarks' ratios
	$(BIN)/python -m benchmarks

mutants: $(VENV)/.test  ## falsify figures one thing at a time and print what no test notices (make mutants ARGS="04 --figure inside")
	@$(BIN)/python -m tools.mutants $(ARGS)

notebooks: $(VENV)/.test  ## make notebooks/*.ipynb from notebooks/*.md, and what follows pyproject.toml (address, version)
	$(BIN)/python -m tools.facts
	$(BIN)/python -m tools.make_notebooks

lesson: $(VENV)/.test  ## make a new lesson that passes all tests (make lesson N=13 NAME=my_topic)
	@$(BIN)/python -m tools.make_lesson '$(N)' '$(NAME)'

record: $(VENV)/.test  ## train the recorded runs again (make record ARGS=NAME for one of them)
	$(BIN)/grda-edu record $(ARGS)

lint: $(VENV)/.test  ## ruff and mypy only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.test  ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

binder-check:  ## play Binder's build in a clean environment
	sh tools/binder_check.sh

core-check:  ## train in a fresh environment with torch, numpy and scipy alone
	sh tools/core_check.sh

constraints:  ## pin what pyproject.toml asks for (make constraints ARGS=--upgrade renews all pins)
	sh tools/make_constraints.sh $(ARGS)

clean:  ## remove the environment and everything generated, but no notebook of yours
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The stamps make a second call quick. The package itself is installed editable: its sources need no stamp.
$(VENV)/.torch: constraints.txt tools/install_torch.sh
	@python=$$(PYTHON=$(PYTHON) sh tools/find_python.sh) && { test -x $(BIN)/python || $$python -m venv $(VENV); }
	@sh tools/install_torch.sh $(BIN)/python
	@touch $@

$(VENV)/.lab: $(VENV)/.torch pyproject.toml
	@echo "Installing the course into $(VENV) (a minute or two, the first time only)."
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.lab
	@echo "Installing what the tests need."
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.stacks: $(VENV)/.test
	@echo "Installing the stacks that the optimizer is tried in."
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS),stacks]'
	@touch $@

$(VENV)/.site: $(VENV)/.lab
	@echo "Installing what the web edition is built with."
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[mnist,site]'
	@touch $@
