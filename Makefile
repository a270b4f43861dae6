# Everything a newcomer runs. `make help` lists it.
# The distribution's own Python where it will do: it is what servers run, and builds from source without profiles and link-time
# optimisation, as most are, take a sixth more a letter (docs/performance.md).
FITS   := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell /usr/bin/python3 -c '$(FITS)' 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help demo test test-busy test-rest lint check bench bench-campaigns bench-import bench-delivery bench-api bench-web bench-bounces bench-costs chaos pictures lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# dkimpy, which the tests verify signatures with, has no wheel: it alone is built from its (hashed) source.
# One stamp per lock file: a changed lock installs again, an unchanged one costs nothing.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Utskick needs Python 3.11 or newer; set PYTHON=/path/to/it." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python has no venv here: install it with 'apt-get install python3-venv' and run make again." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing $(1) (once)"
	@$(BIN)/python -m pip install -qq --require-hashes --only-binary :all: --no-binary dkimpy -r $(1)
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --no-index -e .
	@touch $@
endef

$(VENV)/.installed: requirements.lock pyproject.toml
	$(call install,requirements.lock)

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)

demo: $(VENV)/.installed ## send this week's sample edition and a reminder to a local inbox (ARGS=--once: stop after the table)
	@$(BIN)/utskick demo $(ARGS)

# ical.js reads our calendars in a test. Without npm that test is skipped, and says so.
ICALJS := tests/mailer/events/icaljs
$(ICALJS)/node_modules/.package-lock.json: $(ICALJS)/package-lock.json
	@! command -v npm >/dev/null || (cd $(ICALJS) && npm ci --silent)

test: $(VENV)/.installed-dev $(ICALJS)/node_modules/.package-lock.json ## run the whole test suite
	@$(if $(ARGS),$(BIN)/pytest $(ARGS),$(MAKE) --no-print-directory -j2 test-busy test-rest)

# Side by side on two cores: what starts servers, browsers and processes takes as long as all the rest. The dots of both come mixed,
# each half reports at its end.
BUSY := tests/chaos tests/journeys tests/mailer/outbox tests/mailer/providers tests/mailer/queue tests/mailer/web
test-busy:
	@$(BIN)/pytest $(BUSY)
test-rest:
	@$(BIN)/pytest $(BUSY:%=--ignore=%)

lint: $(VENV)/.installed-dev ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test ## lint and test

bench: $(VENV)/.installed-dev ## plan digests for 10,000, 100,000 and 1,000,000 invented members
	@$(BIN)/python -m benchmarks.planning $(ARGS)

bench-campaigns: $(VENV)/.installed-dev ## approve and plan a campaign to 10,000, 100,000 and 1,000,000 invented members
	@$(BIN)/python -m benchmarks.campaigns $(ARGS)

bench-import: $(VENV)/.installed-dev ## import a register of 100,000 invented members, then again with 3 % changed
	@$(BIN)/python -m benchmarks.importing $(ARGS)

bench-delivery: $(VENV)/.installed-dev $(VENV)/sink ## send a digest to 20,000 and 100,000, beside smtp-source (ARGS=--quick, ARGS=--million)
	@PATH="$$PATH:/usr/sbin"; command -v smtp-source smtp-sink >/dev/null \
	  || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postfix; } >/dev/null 2>&1 \
	  || { echo "smtp-source and smtp-sink are missing: install Debian's package postfix (no service of it needs to run)." >&2; exit 2; }
	@$(BIN)/python -m benchmarks.delivery --sink $(VENV)/sink $(ARGS)

bench-costs: $(VENV)/.installed-dev $(VENV)/sink ## measure what a million deliveries cost: CPU, bytes, write-ahead log
	@$(BIN)/python -m benchmarks.delivery.costs --sink $(VENV)/sink $(ARGS)

$(VENV)/sink: benchmarks/sink.c | $(VENV)/.installed-dev
	@cc -O2 -Wall -Wextra -o $@ $<

bench-api: $(VENV)/.installed-dev ## send through e-mail APIs whose answers take 50 ms
	@$(BIN)/python -m benchmarks.api $(ARGS)

bench-bounces: $(VENV)/.installed-dev ## read a corpus of bounces and say how well (CORPUS=FOLDER)
	@test -n "$(CORPUS)" || { echo "Name a corpus: make bench-bounces CORPUS=FOLDER." >&2; exit 2; }
	@$(BIN)/python -m benchmarks.bounces $(CORPUS)

bench-web: $(VENV)/.installed-dev $(VENV)/sink ## post one-click unsubscribes with wrk while a mailing is being sent
	@command -v wrk >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk; } >/dev/null 2>&1 \
	  || { echo "wrk is missing: install Debian's package wrk." >&2; exit 2; }
	@$(BIN)/python -m benchmarks.rush --sink $(VENV)/sink $(ARGS)

chaos: $(VENV)/.installed-dev ## kill, stop, starve and lie to an installation that sends (ARGS="--seed N --kills 200")
	@$(BIN)/python -m tests.chaos $(ARGS)

pictures: $(VENV)/.installed-dev ## make the pictures of the docs anew (needs Chromium)
	@$(BIN)/python docs/pictures.py

lock: ## write both lock files anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group build --extra postgres -o requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group build --group dev --extra postgres -c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## remove what make made
	rm -rf $(VENV) demo
