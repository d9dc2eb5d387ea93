# Names for what people do; the work is in tools/. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: run stop build test test-all test-bare bench profile conformance mutate fuzz lint fmt clean help

export COUNT SEED CLIENT TARGET PORT ADMIN_PORT CONFIG FUZZ_SECONDS FUZZERS ALL KEEP QUICK

run: ## build, start Weir in the background, send a first request through it (PORT=7480 CONFIG=file)
	@tools/run.sh

stop: ## end the Weir that `make run` started
	@tools/stop.sh

build: ## install what is missing and build the release binary: build/weir
	@tools/build.sh

test: ## what CI runs: sanitized unit tests, simulation, corpora, checks, real SDKs (about 25 minutes from nothing)
	@tools/test.sh

test-all: ## that, and release and tsan trees, fuzzers, 100,000 seeds, coding agents, arm64, bare Debian (hours)
	@tools/test.sh all

test-bare: ## `make run` and `make test` in a chroot of bare Debian 12 (root; KEEP=1 keeps it)
	@tools/bare.sh

bench: ## Weir beside nginx in one run, as one table of ratios (14 minutes; QUICK=1: 3)
	@tools/bench.sh

profile: ## count the ways that the release binary takes, for the compiler to optimise it by (8 minutes)
	@tools/profile.sh

conformance: ## every dialect to every dialect, as a table into docs/dialects.md (CLIENT=a TARGET=b: one pair)
	@tools/conformance.sh

mutate: ## do the codecs' tests notice a wrong codec? 600 mutants, about 16 minutes (COUNT=600 SEED=1)
	@tools/mutate.sh

fuzz: ## every fuzzer for a while (FUZZ_SECONDS=30 FUZZERS="a_fuzz b_fuzz")
	@tools/fuzz.sh

lint: ## checks, layout, and clang-tidy on changed .cpp files but those of bench/ (ALL=1: on all)
	@tools/lint.sh

fmt: ## lay out every C++ file
	@tools/fmt.sh

clean: ## remove build/ (stops a running Weir first)
	@tools/stop.sh --quiet
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
