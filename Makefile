# Everything a person does with this project. Needs python3 (3.11 or newer) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# the machine's own certificates where it has them: it may stand behind a mirror or a proxy
UV := $(BIN)/uv $(shell test -s /etc/ssl/certs/ca-certificates.crt && echo --system-certs)
LOCK := requirements.lock
CLUSTER_LOCK := requirements-cluster.lock
LAKE_LOCK := requirements-lake.lock
DEV_LOCK := requirements-dev.lock
BENCH_LOCK := requirements-bench.lock

.DEFAULT_GOAL := help
.PHONY: help run test test-long test-cluster test-pythons ui check pictures bench fuzz mutate soak lock clean

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.ready  ## set up, load the recorded figures, print the answer
	@$(BIN)/fw-pipeline run

test: $(VENV)/.ready-dev  ## set up and run the tests
	@$(BIN)/python -m pytest $(PYTEST)

test-long: $(VENV)/.ready-dev .venv-lake/.ready  ## run the tests that need several whole runs
	@$(BIN)/python -m pytest -m long $(PYTEST)

test-cluster: $(VENV)/.ready-dev  ## kill workers and take servers of a cluster away; needs PostgreSQL and Redis
	@TEST_SERVERS=required $(BIN)/python -m pytest -n 0 -m cluster -rP $(PYTEST)

test-pythons:  ## a recorded run and the quick tests with each of Python 3.11, 3.12 and 3.13 that is installed
	@for python in python3.11 python3.12 python3.13; do \
		$$python -c '' 2>/dev/null || { echo "$$python is not installed"; continue; }; \
		echo "$$python: a recorded run and the quick tests" && data=$$(mktemp -d) && \
		FW_DATA_DIR=$$data $(MAKE) --no-print-directory VENV=.venv-$$python PYTHON=$$python run && rm -r "$$data" && \
		$(MAKE) --no-print-directory VENV=.venv-$$python PYTHON=$$python test || exit 1; \
	done

ui: $(VENV)/.ready  ## start the Dagster UI on port 3000
	@$(BIN)/fw-pipeline ui

check: $(VENV)/.ready-dev  ## lint, types, SQL style, import contracts, Dagster definitions, security, known vulnerabilities
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 dbt_like_sql
	@PYTHONWARNINGS=ignore DAGSTER_DISABLE_TELEMETRY=yes \
		$(BIN)/dagster definitions validate --log-level error --workspace workspace.yaml
	@$(BIN)/bandit -q -c pyproject.toml -r fw_pipeline
	@$(BIN)/python .ci/audit.py $(DEV_LOCK)
	@$(BIN)/python .ci/audit.py $(LAKE_LOCK)

pictures: $(VENV)/.ready-dev  ## make the pictures of the README and the guides anew
	@$(BIN)/python -m fw_pipeline_tests.tools.pictures

bench: $(VENV)/.ready-dev $(if $(findstring peer,$(BENCH)),.venv-bench/.ready)  ## compare the pipeline with the same work done bare, or by others
	@$(BIN)/python -m fw_pipeline_tests.tools.benchmarks $(BENCH) $(if $(FULL),--full)

fuzz: $(VENV)/.ready-dev  ## hostile input for every reader, for ten minutes
	@$(BIN)/python -m fw_pipeline_tests.tools.fuzz $(FUZZ)

mutate: $(VENV)/.ready-dev  ## small defects in the code, to see whether a test notices, for an hour
	@$(BIN)/python -m fw_pipeline_tests.tools.mutation $(MUTATE)

soak: $(VENV)/.ready-dev  ## real faults, many times over: kills, full disks, publishes under readers
	@$(BIN)/python -m fw_pipeline_tests.tools.soak $(SOAK)

lock: $(VENV)/.ready-uv  ## resolve the dependencies anew
	@$(UV) pip compile -q requirements-uv.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o requirements-uv.lock
	@$(UV) pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o $(LOCK)
	@$(UV) pip compile -q pyproject.toml --extra cluster --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -c $(LOCK) -o $(CLUSTER_LOCK)
	@cp $(CLUSTER_LOCK) $(LAKE_LOCK)  # the same versions, but for DuckDB
	@$(UV) pip compile -q pyproject.toml --extra cluster --extra lake --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o $(LAKE_LOCK)
	@$(UV) pip compile -q pyproject.toml --extra dev --extra cluster --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -c $(LOCK) -o $(DEV_LOCK)
	@$(UV) pip compile -q requirements-bench.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -c $(LOCK) -o $(BENCH_LOCK)

clean:  ## remove the environment, not the data
	rm -rf $(VENV) .venv-bench .venv-lake .venv-python3.*

$(VENV)/.ready-uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fw-pipeline needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 cannot make environments here; on Debian install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(VENV)/.ready: $(VENV)/.ready-uv $(LOCK) pyproject.toml
	@echo "setting up $(VENV)"
	@$(UV) pip install -q --python $(BIN)/python --require-hashes --compile-bytecode -r $(LOCK)
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready $(DEV_LOCK)
	@echo "setting up the tools for tests and checks"
	@$(UV) pip install -q --python $(BIN)/python --require-hashes --compile-bytecode -r $(DEV_LOCK)
	@touch $@

.venv-bench/.ready: $(BENCH_LOCK) | $(VENV)/.ready-uv
	@echo "setting up .venv-bench: what the pipeline is compared with"
	@$(UV) venv -q --clear --python $(BIN)/python .venv-bench
	@$(UV) pip install -q --python .venv-bench/bin/python --require-hashes --compile-bytecode -r $(BENCH_LOCK)
	@touch $@

.venv-lake/.ready: $(LAKE_LOCK) pyproject.toml | $(VENV)/.ready-uv
	@echo "setting up .venv-lake: the same with DuckDB 1.5 and DuckLake"
	@$(UV) venv -q --clear --python $(BIN)/python .venv-lake
	@$(UV) pip install -q --python .venv-lake/bin/python --require-hashes -r requirements-uv.lock -r $(LAKE_LOCK)
	@$(UV) pip install -q --python .venv-lake/bin/python --no-deps --no-build-isolation -e .
	@touch $@
