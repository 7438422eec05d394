# For GNU make 3.81 and later, on Linux and macOS. `make help` lists what there is.

METRIC_NAME ?= vpn
LABELS ?= instance=127.0.0.2:9273,job=metrics_generator:8123
TREND_COEFFICIENT ?= 0.1
FLAT_BASE ?= 5.0
STEP_SIZE ?= 5m
DESCRIPTION ?=
MODE ?= blocks
START_EPOCH ?=
END_EPOCH ?=
ARGS ?=
BASE ?=
MUTANTS_ARGS ?=
PYTEST_ARGS ?= -n 2

# Values reach the recipes by environment, as they were typed: no quote, comma, space or dollar of theirs means anything.
SETTINGS := METRIC_NAME LABELS TREND_COEFFICIENT FLAT_BASE STEP_SIZE DESCRIPTION MODE START_EPOCH END_EPOCH
$(foreach name,$(SETTINGS),$(eval override $(name) := $$(value $(name))))
export $(SETTINGS) PYTHON

PIP = -m pip install --quiet --disable-pip-version-check
PUSH = .venv/bin/promfill push --mode="$$MODE" --metric-name="$$METRIC_NAME" $${LABELS:+--labels="$$LABELS"} \
	--trend-coefficient="$$TREND_COEFFICIENT" --flat-base="$$FLAT_BASE" --step-size="$$STEP_SIZE" \
	$${DESCRIPTION:+--description="$$DESCRIPTION"}

.DEFAULT_GOAL := help
.PHONY: help install backfill backfill-21d backfill-7d backfill-1d clean test lint coverage mutants soak servers docs proto lock bench bench-quick bench-compare

help: ## Show this list
	@echo 'make TARGET [VARIABLE=value …]'
	@echo
	@awk -F ': .*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables of the backfill targets, with their values now:'
	@for name in $(SETTINGS); do eval "value=\$$$$name"; printf '  %-18s %s\n' "$$name" "$$value"; done
	@printf '  %-18s %s\n' ARGS 'more options of promfill push, such as --dry-run'

install: .venv/.installed ## Make .venv and install promfill with what it needs to run

backfill-21d: .venv/.installed ## Make the last 21 days of history
	@$(PUSH) --start=now-21d --end=now $(ARGS)

backfill-7d: .venv/.installed ## Make the last 7 days of history
	@$(PUSH) --start=now-7d --end=now $(ARGS)

backfill-1d: .venv/.installed ## Make the last day of history
	@$(PUSH) --start=now-1d --end=now $(ARGS)

backfill: .venv/.installed ## Make the history from START_EPOCH to END_EPOCH
	@if [ -z "$$START_EPOCH" ] || [ -z "$$END_EPOCH" ]; then \
		echo 'make backfill wants both times: make backfill START_EPOCH=1702800000 END_EPOCH=1704614400' >&2; exit 2; fi
	@$(PUSH) --start="$$START_EPOCH" --end="$$END_EPOCH" $(ARGS)

clean: ## Remove what promfill generated here, and nothing else
	@sh scripts/make/clean.sh

test: .venv/.dev servers .oracle/.installed ## Install what the tests need, then lint and run them
	@failed=0; $(MAKE) --no-print-directory lint || failed=1; \
		echo .venv/bin/python -m pytest $(PYTEST_ARGS); .venv/bin/python -m pytest $(PYTEST_ARGS) || failed=1; exit $$failed

soak: .venv/.dev ## The tests that end a push at random moments, a hundred times
	PROMFILL_SOAK=100 .venv/bin/python -m pytest --timeout 1800 tests/integration/test_remote_write_kill.py

lint: .venv/.dev ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

coverage: .venv/.dev ## The lines that unit and property tests never run, held above the floor in pyproject.toml
	.venv/bin/python -m pytest $(PYTEST_ARGS) -q --hypothesis-profile=coverage -m 'not server' --cov --cov-report=term \
		tests/unit tests/property

mutants: .venv/.dev ## Change the code in 300 small ways, and list the changes that no test notices
	.venv/bin/python -m scripts.mutants $(MUTANTS_ARGS)

servers:
	@sh scripts/make/servers.sh

docs: .venv/.installed ## Write docs/commands again from the commands' own help
	.venv/bin/python scripts/make/commands.py

proto: .protoc/.installed ## Generate promfill/pb from proto/
	.protoc/bin/python -m grpc_tools.protoc -Ipromfill/pb=proto --python_out=. --pyi_out=. \
		promfill/pb/remote_write_1.proto promfill/pb/remote_write_2.proto promfill/pb/remote_read.proto

lock: ## Write requirements/*.txt again from *.in (wants uv)
	for name in dev proto; do \
		uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header \
			$$([ $$name = dev ] && echo pyproject.toml) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

bench: .venv/.dev servers ## All benchmarks, written to docs/benchmarks.* and the README: about half an hour
	@sh benchmarks/peers/install.sh original remote-writer opentelemetry synforecast
	.venv/bin/python -m benchmarks.full

bench-quick: .venv/.dev servers ## The benchmarks' short form, held against benchmarks/floors.toml
	@sh benchmarks/peers/install.sh original
	.venv/bin/python -m benchmarks --quick --json .benchmarks/quick.json

bench-compare: .venv/.dev ## This checkout beside another commit: make bench-compare BASE=main~5
	@if [ -z "$(BASE)" ]; then echo 'make bench-compare wants a commit: make bench-compare BASE=main~5' >&2; exit 2; fi
	.venv/bin/python -m benchmarks.compare "$(BASE)"

.venv/.installed: pyproject.toml
	@sh scripts/make/venv.sh .venv
	@.venv/bin/python $(PIP) --editable .
	@touch $@

# The locked versions of everything; promfill itself is then at home too, so that .installed is not made again.
.venv/.dev: pyproject.toml requirements/dev.txt
	@sh scripts/make/venv.sh .venv
	@.venv/bin/python $(PIP) --require-hashes -r requirements/dev.txt
	@.venv/bin/python $(PIP) --no-deps --editable .
	@touch .venv/.installed $@

.oracle/.installed: tests/oracle/requirements.txt
	@sh scripts/make/oracle.sh

.protoc/.installed: requirements/proto.txt
	@sh scripts/make/venv.sh .protoc 3.13
	@.protoc/bin/python $(PIP) --require-hashes -r requirements/proto.txt
	@touch $@
