# Limner: set up, run, test. Everything happens inside .venv in this folder.

# make setup PYTHON=/path/to/python chooses the Python; otherwise the first of 3.11, 3.12, 3.13 that is found.
PYTHON ?=
# make run ARGS="picture.png" passes words on to the studio.
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
# make bench BENCH="--stages unet --sizes 256" measures a part, BENCH=--resume what is missing.
BENCH ?=
.PHONY: help setup run test lint check bench clean starter starter-eval vocabulary bundle bundle-test deb archive packages-test

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## prepare .venv (run and test do it by themselves)
	@:

$(READY): pyproject.toml constraints.txt packaging/setup/find_python.sh packaging/setup/prepare.py packaging/setup/vocabulary.py
	@python=$$(sh packaging/setup/find_python.sh "$(PYTHON)") && "$$python" packaging/setup/prepare.py $(VENV)

run: $(READY) ## open the studio
	@$(PY) -m app $(ARGS)

test: lint check ## every check: style, types, structure, behaviour

lint: $(READY) ## style, types and structure
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

check: $(READY) ## behaviour
	$(PY) -m pytest -q

vocabulary: $(READY) ## fetch CLIP's vocabulary for single-file models, if setup could not
	$(PY) packaging/setup/vocabulary.py resources/configs/tokenizer

starter: $(READY) ## train the starter models anew (long)
	$(PY) packaging/starter/make.py

starter-eval: $(READY) ## measure the starter models again
	$(PY) packaging/starter/evaluate.py

bundle: ## freeze the program for people without Python, into build/bundle/dist
	@python=$$(sh packaging/setup/find_python.sh "$(PYTHON)") && "$$python" packaging/bundle/build.py

bundle-test: ## start that program with an empty home and no network, and paint
	@python=$$(sh packaging/setup/find_python.sh "$(PYTHON)") && "$$python" packaging/bundle/check.py

deb: ## the frozen program as a Debian package, beside it
	@python=$$(sh packaging/setup/find_python.sh "$(PYTHON)") && "$$python" packaging/linux/debian.py

archive: ## the frozen program as a tar.xz that installs into a person's home
	@python=$$(sh packaging/setup/find_python.sh "$(PYTHON)") && "$$python" packaging/linux/archive.py

packages-test: ## install, use, upgrade and remove both in a small Debian (root, debootstrap)
	@python=$$(sh packaging/setup/find_python.sh "$(PYTHON)") && "$$python" packaging/linux/check.py

bench: $(READY) ## measure Limner beside its peers (an hour and a quarter; OpenVINO is fetched, build/ takes 9 GB)
	@peers=$$($(PY) tests/bench/prepare.py) && $(PY) -m tests.bench.speed --peers-python "$$peers" $(BENCH)

clean: ## remove caches and build output
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +
