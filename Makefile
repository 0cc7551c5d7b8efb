# `make` prints this help. Everything runs from this folder and needs neither root nor Docker.
.DEFAULT_GOAL := help
ifndef TWO_AT_ONCE
.NOTPARALLEL:
endif
.PHONY: help setup setup-dev setup-monitor tools classes up status logs down clean demo check check-types check-rest language audit scan-secrets fetch-data example examples-down test-examples wheel test test-unit test-slow test-integration test-mysql test-e2e test-laws test-images test-kills chaos fuzz soak test-newest bench diagrams screenshot screenshots docs secrets services lock
VENV := .venv/bin/python
# Compiled modules are kept, whatever the environment says, since many processes are started here.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(VENV) -m pytest
# One thread for each process; where tests wait for servers, four processes keep two cores busy.
PARALLEL := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PYTEST) -q --dist loadgroup
# In a network namespace of its own, unless the tests use external servers (stack/testing/external_servers.py).
WITHOUT_NETWORK := $(if $(TEST_MARIADB_URL)$(TEST_MYSQL_URL)$(TEST_KAFKA),,$(VENV) -m devtools.isolation.network_namespace)
# The modules of the public API: their docstrings hold examples, which are run.
PUBLIC := $(addprefix src/driftline/,monitor.py errors.py backtesting/backtest.py backtesting/output/result.py \
	engine/spec.py engine/results.py report/view.py client/__init__.py client/errors.py client/monitor_client.py client/status.py \
	artifacts/saving.py artifacts/loading.py lineage/__init__.py \
	lineage/datasets.py lineage/runs.py lineage/settings.py lineage/start.py)
SITE := NO_MKDOCS_2_WARNING=1 $(VENV) -m mkdocs build
INSTALLED := .venv/.project.stamp
EXAMPLES := titanic dse ecg lakehouse
COMPILE := UV_NATIVE_TLS=$${UV_NATIVE_TLS:-1} build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--no-emit-index-url --generate-hashes --no-header
# >>> services: written by `make services` from stack/services/table.py
IMAGES := deploy simulator eda jobs monitor serving
# <<< services

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: .venv (of $PYTHON if set), MariaDB, Kafka, Spark's jars (all pinned)
	@python=$$(sh stack/setup/python.sh) && $$python -m stack.setup.bootstrap

setup-dev: ## Install .venv only: enough for checks and unit tests, without Java and Maven
	@python=$$(sh stack/setup/python.sh) && $$python -m stack.setup.bootstrap --dev

setup-monitor: ## Install what the monitor alone needs; without Java, set DRIFTLINE_MYSQLD or DB_HOST
	@python=$$(sh stack/setup/python.sh) && $$python -m stack.setup.bootstrap --monitor

tools: setup ## Build the tools that tests and checks need, once (2 min; skipped without Go)
	@$(VENV) -m stack tools

classes: setup ## Archive the classes that Spark loads, once (half a minute): its sessions start in half the time
	@$(VENV) -m stack classes

demo: setup ## Run the demo and leave it running (LIVE=1: predict while records arrive; SCENARIO=concept: heal a drift)
	@$(VENV) -m stack demo $(if $(LIVE),--live) $(if $(SCENARIO),--scenario $(SCENARIO))

$(INSTALLED):
	@echo "This checkout is not set up yet; run \`make setup\` or \`make up\` first." >&2; exit 1

up: $(if $(filter monitor,$(ROLE)),setup-monitor,setup) ## Start MariaDB, Kafka and the services (ROLE=monitor: it and MariaDB alone; LIVE=1: score records too)
	@$(VENV) -m stack up $(if $(ROLE),--role $(ROLE)) $(if $(LIVE),--live)

example: setup ## Run an example on servers of its own (NAME=titanic, dse, ecg or lakehouse), and leave it running
	@case " $(EXAMPLES) " in *" $(or $(NAME),titanic) "*) ;; \
	*) echo "There is no example $(NAME); NAME is one of: $(EXAMPLES)." >&2; exit 1;; esac
	@$(VENV) -m examples.$(or $(NAME),titanic)

examples-down: $(INSTALLED) ## Stop the servers of the examples and keep their data (var=FOLDER: those of --var FOLDER)
	@$(VENV) -m stack examples-down $(if $(var),--var $(var))

status: $(INSTALLED) ## Show what runs, its address, and whether it answers
	@$(VENV) -m stack status || :

logs: $(INSTALLED) ## Show the last lines of the logs (of=monitor: of one service; follow=1: keep printing)
	@$(VENV) -m stack logs $(of) $(if $(follow),--follow)

down: $(INSTALLED) ## Stop everything and keep the data
	@$(VENV) -m stack down

clean: $(INSTALLED) ## Stop everything, examples too, and remove var/ (data, passwords, logs) and caches
	@$(VENV) -m stack clean

check: setup-dev ## Run all checks: lint, format, types, import contracts, secrets, workflows, docstrings, docs site
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target TWO_AT_ONCE=1 check-types check-rest

check-types: setup-dev ## Check types, the longer half of `check`
	$(VENV) -m mypy

check-rest: setup-dev ## Run the other half of `check`
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	PYTHONPATH=pyspark .venv/bin/lint-imports
	$(VENV) -m devtools.checks.leaks
	$(VENV) -m devtools.checks.workflows
	$(PYTEST) -q --doctest-modules $(PUBLIC)
	$(SITE) --quiet

language: setup-dev ## List names, docstrings and commit subjects worth improving (of=FOLDER: of one folder)
	@$(VENV) -m devtools.checks.language $(of)

audit: setup-dev ## Look up known vulnerabilities of the locked packages (required=1: fail if that is impossible)
	$(VENV) -m devtools.checks.audit $(if $(required),--required)

scan-secrets: setup-dev ## Scan the tracked files for secrets
	$(VENV) -m devtools.checks.leaks

fetch-data: setup-dev ## Download and verify the raw data of RAW_DATA_BUCKET and RAW_DATA_OBJECT, or of RAW_DATA_URL
	$(VENV) flaskapp/DataFile/download_raw_data.py
	cd flaskapp/DataFile && sha256sum RawData.csv* > RawData.sha256

wheel: setup-dev ## Build and check the wheel in dist/, with release notes (tag=v1.2.3: require this version)
	$(VENV) -m devtools.packaging.release $(if $(tag),--tag $(tag))

test: test-unit test-slow test-integration test-e2e ## Run the tests, on real servers (test-kills: while processes are killed; test-mysql: all SQL on MySQL)

test-unit: setup-dev ## Run the tests that need no server and no Java, without the slow ones (30 s)
	$(PARALLEL) -n 2 -m "not slow" tests/unit

test-slow: setup-dev ## Run the slow ones: thousands of rows, trained models, other processes
	$(PARALLEL) -n 2 -m slow tests/unit

test-integration: tools classes ## Run the tests on MariaDB, Kafka, Spark and object stores
	$(PARALLEL) -n 4 --no-loadscope-reorder -m "not mysql and not kills" tests/integration

test-mysql: tools classes ## Run again on MySQL the integration tests of all SQL
	$(PARALLEL) -n 2 --no-loadscope-reorder -m mysql tests/integration

test-e2e: tools classes ## Run the demo and the examples, in short, through the public commands, without network
	$(VENV) -m examples.lakehouse.jars
	$(WITHOUT_NETWORK) $(PYTEST) -q -n 2 --dist loadgroup -m "not kills" tests/e2e

test-kills: tools classes ## Kill processes, and take servers away, while they work (times=5: in the loop more often)
	$(PARALLEL) -n 3 --no-loadscope-reorder -m "kills and not mysql" tests/integration
	KILLS=$(or $(times),1) $(WITHOUT_NETWORK) $(PYTEST) -q -rP $(if $(times),--timeout=0) -m kills tests/e2e

test-examples: setup ## Run each example whole, twice, and what is deployed to a cloud
	$(PYTEST) -q -rs tests/examples

chaos: setup ## Kill every process at random while records stream, and compare with a run in peace (records=200000 kills=200 seed=1)
	CHAOS_RECORDS=$(or $(records),200000) CHAOS_KILLS=$(or $(kills),200) CHAOS_SEED=$(or $(seed),1) \
	$(PYTEST) -q -rP --timeout=0 tests/chaos

fuzz: tools ## Send many more drawn requests to both services (cases=5000: of each operation)
	FUZZ_EXAMPLES=$(or $(cases),1000) $(PYTEST) -q -rP --timeout=0 tests/integration/monitoring/test_openapi.py tests/integration/flaskapp/test_openapi.py

soak: setup ## Run random schedules of senders and pollers that are killed (schedules=500 kills=200 seed=; only=: one of them)
	SOAK_SCHEDULES=$(or $(schedules),500) SOAK_KILLS=$(or $(kills),200) SOAK_SEED=$(seed) SOAK_ONLY=$(only) \
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PYTEST) -q --timeout=0 tests/integration/soak

test-laws: setup-dev ## Try the laws of the unit tests on 100 examples each instead of a few (some minutes)
	EXAMPLES=100 $(PARALLEL) -n 2 -m hypothesis tests/unit

test-images: tools ## Build and run the images without a Docker engine (first 8 min; needs root, buildah, debootstrap, runc)
	$(PYTEST) -q tests/images

test-newest: setup-dev ## Run tests of the engine and the backtest on Python 3.13 and pandas 3 (skipped without that Python)
	@$(VENV) -m devtools.checks.newest_python

bench: setup ## Run the benchmarks against the underlying libraries (some minutes)
	@for question in records.procedure monitor.poll records.simulator records.relay; do $(VENV) -m benchmarks.$$question || exit 1; done

diagrams: setup ## Draw the changed diagrams of PlantUMLDiagrams/ (downloads PlantUML the first time)
	@$(VENV) -m devtools.documentation.diagrams

screenshot: setup ## Take the README's picture with the end-to-end test (needs a Chromium; url=ADDRESS: of a page)
	@$(VENV) -m devtools.documentation.screenshot $(url)

screenshots: setup ## Take a picture of every page of the demo, for docs/images (needs a Chromium)
	@$(VENV) -m devtools.documentation.screenshot --all

docs: setup-dev ## Build the documentation site in build/site
	@$(SITE)

secrets: setup-dev ## Create the passwords and tokens of the compose files in deploy/secrets/
	@$(VENV) -m stack.containers.secrets

services: setup-dev ## Write the files derived from the table of services: compose files, images, workflow
	@$(VENV) -m devtools.generators.services

lock: setup-dev ## Write the lock files from pyproject.toml
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(COMPILE) --override requirements/overrides.txt --all-extras --no-emit-package driftline \
		-o requirements/dev.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --no-emit-package driftline -o requirements/core.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --extra monitor-local --no-emit-package driftline \
		-o requirements/monitor-local.lock pyproject.toml
	@for image in $(IMAGES); do echo "requirements/$$image.lock"; $(COMPILE) --constraint requirements/dev.lock --extra $$image \
		--no-emit-package driftline -o requirements/$$image.lock pyproject.toml || exit 1; done
	$(COMPILE) --constraint requirements/dev.lock --extra server --extra trees --no-emit-package driftline \
		-o examples/titanic/requirements.txt pyproject.toml examples/titanic/requirements.in
	$(COMPILE) --no-deps -o examples/titanic/data.txt examples/titanic/data.in
	$(COMPILE) --constraint requirements/dev.lock --extra server --extra trees --no-emit-package driftline \
		-o examples/titanic/cloud/requirements.txt pyproject.toml examples/titanic/cloud/requirements.in
	$(COMPILE) --constraint requirements/dev.lock --constraint examples/titanic/cloud/requirements.txt \
		-o examples/titanic/cloud/tools.lock examples/titanic/cloud/tools.in
	$(COMPILE) -o examples/dse/airflow.lock examples/dse/airflow.in
	$(COMPILE) -o examples/ecg/tools.lock examples/ecg/tools.in
	$(COMPILE) -o examples/lakehouse/hudi/tools.lock examples/lakehouse/hudi/tools.in
	UV_PYTHON_DOWNLOADS=never $(subst 3.11,3.13,$(COMPILE)) --extra report --extra dle --no-emit-package driftline \
		-o requirements/newest.lock pyproject.toml requirements/newest.in
