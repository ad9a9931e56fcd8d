# Each target alone sets everything up on a fresh machine, in .venv beside this file.
# uv is used where it is present (seconds), else pip (about two minutes).
# Windows, or no make: the README has the three plain lines that do the same.

.PHONY: app test check clean

app: .venv/.app
	.venv/bin/python app.py

# Side by side, one thread each; then, one after the other, those that watch the clock, or a browser.
test: .venv/.test
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -m "not browser and not clock" -n auto --maxprocesses 4 --dist loadfile
	.venv/bin/python -m pytest -m "browser or clock"

# Lint, types, import contracts: what `.ci/run` checks before the tests.
check: .venv/.test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv

# The newest Python from 3.11 on that is installed; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer with its venv module is needed (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; fi
	$(PYTHON) -m venv .venv

define install
	@if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python .venv/bin/python $(1); \
	else .venv/bin/python -m pip install --quiet --disable-pip-version-check $(1); fi
	@touch $@
endef

.venv/.app: pyproject.toml | .venv/bin/python
	@echo "Installing into .venv (once; some minutes)..."
	$(call install,-e .)

.venv/.test: pyproject.toml | .venv/bin/python
	@echo "Installing into .venv (once; some minutes)..."
	$(call install,-e '.[dev]')
	@touch .venv/.app
