# The doors of the project. Every target sets up what it needs; a bare Debian with
# python3, python3-venv and make is enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
CONFIG ?= examples/demo.toml
FUZZ_S ?= 60
CYCLES ?= 1000
EXAMPLES ?= 2000
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# setuptools builds the editable install; it comes pinned from the development lock.
SETUPTOOLS := $(VENV)/.setuptools.lock

.PHONY: ldap help run test test-slow test-proof explore check format bench fuzz crash lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "installing the pinned packages into $(VENV) …"
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	sed -n '/^setuptools==/,/^[^ ]/{/^setuptools==/p;/^ .*--hash/p}' requirements-dev.lock > $(SETUPTOOLS)
	$(PIP) install --require-hashes --no-deps -r $(SETUPTOOLS)
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

run: $(RUNTIME)  ## set up and start the gateway with examples/demo.toml on loopback
	@exec $(BIN)/smsc run --config $(CONFIG)

ldap: $(DEV)  ## add the extra ldap (needs gcc, python3-dev, libldap-dev, libsasl2-dev)
	$(PIP) install --require-hashes --no-deps -r requirements-ldap.lock

test: $(DEV)  ## the quick suite
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(DEV)  ## every long suite: crashes, soak, five thousand binds
	$(BIN)/python -m pytest -m slow

test-proof: $(DEV)  ## the long proofs that CI runs: kills, mutated PDUs
	$(BIN)/python -m pytest -m slow tests/flow/test_crash_points.py tests/flow/test_crash.py \
		tests/pdu tests/smsc/store/test_lmdb_store.py

explore: $(DEV)  ## the properties with EXAMPLES new random examples each
	EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -m "not slow" --timeout=3600 --hypothesis-profile=explore \
		$$(grep -rlE "^(from|import) hypothesis" tests --include="test_*.py")

check: $(DEV)  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" $(BIN)/lint-imports

format: $(DEV)  ## let ruff format and fix what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV)  ## micro-benchmarks and a short end-to-end load
	$(PIP) install smpp34==1.5.0
	$(BIN)/python -m bench

fuzz: $(DEV)  ## let a fuzzer loose on the codec for a minute (FUZZ_S seconds)
	$(PIP) install atheris==3.0.0
	PYTHONPATH=. $(BIN)/python tests/pdu/fuzz_codec.py -max_total_time=$(FUZZ_S) -max_len=400

crash: $(DEV)  ## kill a gateway at random and at named points, CYCLES times, and compare the books
	PYTHONPATH=. $(BIN)/python -m tests.flow.crash --cycles $(CYCLES)

lock: $(DEV)  ## write the lock files anew (needs uv: pip install uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock
	uv pip compile pyproject.toml --extra ldap --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-ldap.lock

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
