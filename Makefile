# SPDX-License-Identifier: MIT
#
# The front door. `make help` lists what it does; the work is done by Meson and by scripts/.

BUILD   := build
SCRIPTS := scripts

# make run CONFIG=gatewire.yaml, make run ARGS="check gatewire.yaml"
CONFIG ?=
ARGS   ?= $(if $(CONFIG),--config $(CONFIG))

# make fuzz FUZZ_SECONDS=600 FUZZ="h1 sse"
FUZZ_SECONDS ?= 60
FUZZ         ?=

# make soak SOAK_ARGS="--minutes 2 --sample 1"
SOAK_ARGS ?=

# make lint STEPS="format layers"
STEPS ?=

# make install DESTDIR=/tmp/pkg prefix=/usr
prefix   ?= /usr/local
bindir   ?= $(prefix)/bin
mandir   ?= $(prefix)/share/man
unitdir  ?= $(prefix)/lib/systemd/system
DESTDIR  ?=
INSTALL  ?= install

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Meson and pytest use the cores themselves.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## show this list
	@echo 'gatewire: make TARGET'
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
	    awk -F '\t' '{ printf "  %-10s %s\n", $$1, $$2 }'

.PHONY: run
run: build ## install what is missing, build, start the gateway (CONFIG=FILE)
	@exec $(BUILD)/gatewire $(ARGS)

.PHONY: build
build: ## install what is missing and build build/gatewire
	@$(SCRIPTS)/setup.sh build
	@$(SCRIPTS)/configure $(BUILD)
	@ninja -C $(BUILD) gatewire

.PHONY: test
test: ## set up, then run every test; ends with N passed, N failed, N skipped
	@rm -rf $(BUILD)/test-results
	@$(SCRIPTS)/setup.sh build test
	@$(SCRIPTS)/configure $(BUILD) -Dtests=enabled -Dbench=enabled
	@ninja -C $(BUILD)
	@$(SCRIPTS)/test $(BUILD)
	@$(SCRIPTS)/test-summary $(BUILD)/test-results

.PHONY: sanitize
sanitize: ## the whole suite with ASan+UBSan, then with TSan
	@rm -rf build-asan/test-results build-tsan/test-results
	@$(SCRIPTS)/setup.sh build test sanitize
	@$(MAKE) sanitize-asan sanitize-tsan
	@$(SCRIPTS)/test-summary build-asan/test-results build-tsan/test-results

# b_lundef: clang's sanitizer run-time is linked into programs only, so that libraries have open symbols.
.PHONY: sanitize-asan sanitize-tsan
sanitize-asan:
	@CC=clang $(SCRIPTS)/configure build-asan -Db_sanitize=address,undefined -Db_lundef=false \
	    -Doptimization=1 -Dtests=enabled -Dbench=enabled
	@ninja -C build-asan
	@GW_SANITIZER=asan $(SCRIPTS)/test build-asan

sanitize-tsan:
	@CC=clang $(SCRIPTS)/configure build-tsan -Db_sanitize=thread -Db_lundef=false \
	    -Doptimization=1 -Dtests=enabled -Dbench=enabled
	@ninja -C build-tsan
	@GW_SANITIZER=tsan $(SCRIPTS)/test build-tsan

.PHONY: fuzz
fuzz: ## let each fuzzer run (FUZZ_SECONDS=60, FUZZ="names")
	@$(SCRIPTS)/setup.sh build sanitize
	@CC=clang $(SCRIPTS)/configure build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
	    -Doptimization=1 -Dtests=disabled -Dbench=disabled
	@ninja -C build-fuzz
	@$(SCRIPTS)/fuzz build-fuzz $(FUZZ_SECONDS) $(FUZZ)

.PHONY: lint
lint: ## format, layers, documentation, style, spelling, gcc and clang without a warning (STEPS="...")
	@$(SCRIPTS)/setup.sh build lint
	@$(SCRIPTS)/lint $(STEPS)

.PHONY: tidy
tidy: ## clang-tidy over all sources (minutes)
	@$(SCRIPTS)/setup.sh build lint
	@$(SCRIPTS)/lint tidy

.PHONY: bench
bench: ## compare with nginx and HAProxy on this machine; prints a table, writes JSON (BENCH_ARGS)
	@$(SCRIPTS)/setup.sh build bench
	@$(SCRIPTS)/configure $(BUILD) -Dbench=enabled
	@ninja -C $(BUILD)
	@bench/run $(BENCH_ARGS)

.PHONY: soak
soak: ## mixed load for 30 minutes; fails when memory or descriptors grow (SOAK_ARGS="--minutes 2")
	@$(SCRIPTS)/setup.sh build test
	@$(SCRIPTS)/configure $(BUILD) -Dbench=enabled
	@ninja -C $(BUILD)
	@bench/soak.py --build $(BUILD) $(SOAK_ARGS)

.PHONY: install
install: ## install program, man page and systemd unit (DESTDIR, prefix)
	@[ -x $(BUILD)/gatewire ] || $(MAKE) build
	$(INSTALL) -D -m 0755 $(BUILD)/gatewire $(DESTDIR)$(bindir)/gatewire
	$(INSTALL) -D -m 0644 docs/man/gatewire.1 $(DESTDIR)$(mandir)/man1/gatewire.1
	$(INSTALL) -d -m 0755 $(DESTDIR)$(unitdir)
	sed 's|@bindir@|$(bindir)|g' packaging/gatewire.service >$(DESTDIR)$(unitdir)/gatewire.service
	chmod 0644 $(DESTDIR)$(unitdir)/gatewire.service

.PHONY: clean
clean: ## remove what was built (keeps the test tools)
	rm -rf build-asan build-tsan build-fuzz build-lint-gcc build-lint-clang
	@[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove the test tools as well
	rm -rf $(BUILD) .venv .venv-llama .cache tests/e2e/node/node_modules
