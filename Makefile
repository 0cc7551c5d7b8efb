# `make` prints this help. Everything runs from this folder and needs neither root nor Docker.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-dev tools up status logs down clean demo check language audit scan-secrets fetch-data wheel test test-unit test-integration test-e2e bench diagrams secrets services lock
VENV := .venv/bin/python
# Compiled modules are kept, whatever the caller's shell says: the many processes here would each compile them anew.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(VENV) -m pytest
# Two processes, one thread each.
PARALLEL := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PYTEST) -q -n 2 --dist loadgroup
# In a network of its own, unless the tests are given servers (stack/testing/external_servers.py), which are outside it.
ENCLOSED := $(if $(TEST_MARIADB_URL)$(TEST_MYSQL_URL)$(TEST_KAFKA),,$(VENV) -m devtools.network_namespace)
INSTALLED := .venv/.project.stamp
COMPILE := UV_NATIVE_TLS=$${UV_NATIVE_TLS:-1} build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--no-emit-index-url --generate-hashes --no-header
# >>> services: written by `make services` from stack/services/table.py
IMAGES := deploy simulator eda jobs monitor
# <<< services

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Fetch what is missing: .venv (of $PYTHON if set), MariaDB, Kafka, Spark's jars (all pinned)
	@python=$$(sh stack/setup/python.sh) && $$python -m stack.setup.bootstrap

setup-dev: ## Install .venv only, which checks and unit tests need: no Java, no Maven, no servers
	@python=$$(sh stack/setup/python.sh) && $$python -m stack.setup.bootstrap --dev

tools: setup ## Build the servers and linters that the tests need from Go, once (2 min; skipped without Go)
	@$(VENV) -m stack tools

demo: setup ## Run the whole loop on real servers and leave it running
	@$(VENV) -m stack demo

$(INSTALLED):
	@echo "Nothing is set up here yet; run \`make setup\` or \`make up\` first." >&2; exit 1

up: setup ## Start MariaDB, Kafka, the simulator and the monitor
	@$(VENV) -m stack up

status: $(INSTALLED) ## Show what runs, where, and whether it answers
	@$(VENV) -m stack status || :

logs: $(INSTALLED) ## Show the last lines of the logs (follow=1 goes on, of=monitor shows one)
	@$(VENV) -m stack logs $(of) $(if $(follow),--follow)

down: $(INSTALLED) ## Stop everything; the data stays
	@$(VENV) -m stack down

clean: $(INSTALLED) ## Stop everything and remove var/ (data, passwords, logs) and caches
	@$(VENV) -m stack clean

check: setup-dev ## Lint, formatting, types, the design's arrows, secrets, workflows, the docs
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy
	PYTHONPATH=pyspark .venv/bin/lint-imports
	$(VENV) -m devtools.leaks
	$(VENV) -m devtools.workflows
	$(PYTEST) -q tests/unit/docs

language: setup-dev ## List names, docstrings and commit subjects that deserve a second look (of=FOLDER looks at one)
	@$(VENV) -m devtools.language $(of)

audit: setup-dev ## Look for known vulnerabilities of the locked packages (required=1: to be unable to ask fails)
	$(VENV) -m devtools.audit $(if $(required),--required)

scan-secrets: setup-dev ## Look for secrets in what git tracks
	$(VENV) -m devtools.leaks

fetch-data: setup-dev ## Download, check and checksum the raw data that RAW_DATA_BUCKET and RAW_DATA_OBJECT, or RAW_DATA_URL, name
	$(VENV) flaskapp/DataFile/download_raw_data.py
	cd flaskapp/DataFile && sha256sum RawData.csv* > RawData.sha256

wheel: setup-dev ## Build the library's wheel in dist/, checked, with its release notes (tag=v1.2.3 must be its version)
	$(VENV) -m devtools.release $(if $(tag),--tag $(tag))

test: test-unit test-integration test-e2e ## Every test, on real servers

test-unit: setup-dev ## Tests without a server or Java
	$(PARALLEL) tests/unit

test-integration: tools ## Tests on MariaDB, MySQL, Kafka, Spark and object stores
	$(PARALLEL) --no-loadscope-reorder tests/integration

test-e2e: setup ## The loop through the public commands, with kills, in a network of its own
	$(ENCLOSED) $(PYTEST) -q tests/e2e

bench: setup ## Time the product against the bare thing it stands on (some minutes)
	@for question in procedure poll simulator relay; do $(VENV) -m benchmarks.$$question || exit 1; done

diagrams: setup ## Draw PlantUMLDiagrams/ again where its sources changed (fetches PlantUML the first time)
	@$(VENV) -m devtools.diagrams

secrets: setup-dev ## Make the passwords and tokens of the compose files, in deploy/secrets/
	@$(VENV) -m stack.containers.secrets

services: setup-dev ## Write the files that follow from the table of services: compose files, images, the workflow
	@$(VENV) -m devtools.services

lock: setup-dev ## Write the lock files anew from pyproject.toml
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(COMPILE) --override requirements/overrides.txt --all-extras --no-emit-package driftline \
		-o requirements/dev.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --no-emit-package driftline -o requirements/core.lock pyproject.toml
	@for image in $(IMAGES); do echo "requirements/$$image.lock"; $(COMPILE) --constraint requirements/dev.lock --extra $$image \
		--no-emit-package driftline -o requirements/$$image.lock pyproject.toml || exit 1; done
