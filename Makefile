# make serve   set everything up, start the server, print where to go   (LUMI_HOST, LUMI_PORT, LUMI_DATA_DIR)
# make test    set everything up, run every gate and every test
# make demo    a spoken conversation, hop by hop, files in demo-output/
# make bench   devices in conversation until the machine is full; writes docs/benchmarks.md's table
# make docs    write the generated pages of docs/ anew
# make pins    new versions into requirements/*.txt (needs uv)
# make clean   remove whatever was built here, .venv included

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test gates demo bench pins docs clean

BIN := .venv/bin
WORKERS ?= 4
DEVICES ?= 1,10,25,50

# Nothing here may call home.
export ORT_DISABLE_TELEMETRY := 1

help:
	@sed -n 's/^# \{0,1\}//; /^make/p' Makefile

# A stamp is newer than what it was made from, or the set-up runs again; the second time costs nothing.
.venv/.server: requirements/server.txt pyproject.toml scripts/install.sh
	@scripts/install.sh server
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml scripts/install.sh
	@scripts/install.sh dev
	@touch $@ .venv/.server

serve: .venv/.server
	@exec $(BIN)/lumi serve

demo: .venv/.server
	@$(BIN)/python -m lumi.demo

bench: .venv/.server
	@$(BIN)/python -m lumi.bench.run --devices $(DEVICES) --markdown docs/benchmarks.md

test: .venv/.dev
	@scripts/debian-packages.sh
	@$(MAKE) --no-print-directory gates

gates:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/protocol --cov=lumi.protocol --cov-report=term:skip-covered --cov-fail-under=100
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --ignore tests/protocol --cov --cov-append \
		--cov-report=term:skip-covered

docs: .venv/.dev
	$(BIN)/python -m lumi.config docs/configuration.md
	$(BIN)/python -m lumi.engines.overview docs/engines.md
	$(BIN)/python -m lumi.protocol.reference > docs/protocol.md.new && mv docs/protocol.md.new docs/protocol.md

pins:
	scripts/pin.sh

clean:
	rm -rf .venv build dist demo-output htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache src/*.egg-info
	find src tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
