#!/usr/bin/env bash
# tools/test.sh        what CI and a newcomer run: one sanitized tree, unit tests, 1,000 simulated seeds, corpora, checks,
#                      the real SDKs and engines against that binary.
# tools/test.sh all    that, and what takes long: other trees, fuzzers, 100,000 seeds, full kill counts, the programs of two
#                      coding agents, arm64, bare Debian.
# Exits non-zero if anything failed. A phase that cannot run here says so and why.
source "$(dirname "$0")/common.sh"
source tools/phases.sh

size=${1:-default}
case $size in
  default | all) ;;
  *) die "knows no size '$size'; use no argument, or all" ;;
esac
seeds_default=1000 kill_cycles_default=25
if [ "$size" = all ]; then seeds_default=100000 kill_cycles_default=200; fi
export WEIR_SIM_SEEDS=${WEIR_SIM_SEEDS:-$seeds_default}
export WEIR_KILL_CYCLES=${WEIR_KILL_CYCLES:-$kill_cycles_default}
export PATH=$PWD/build/tools/usr/bin:$PATH

# Fewer seeds: the thread sanitizer is an order of magnitude slower.
tsan_simulation() { WEIR_SIM_SEEDS=${WEIR_TSAN_SEEDS:-1000} run_ctest tsan -L sim; }
run_ctest() { ctest --test-dir "build/$1" --output-on-failure --no-tests=error -j "$(nproc)" "${@:2}"; }

# Tests skip by themselves what needs this folder. They start in other folders, so its path is made absolute.
shared=${WEIR_SHARED_DIR:-../shared}
if [ -d "$shared" ]; then
  WEIR_SHARED_DIR=$(realpath "$shared")
  export WEIR_SHARED_DIR
elif [ -n "${WEIR_SHARED_DIR:-}" ]; then
  die "there is no folder $shared, which WEIR_SHARED_DIR names"
else
  phase "the recordings and vectors of other projects" not_run "no ../shared; set WEIR_SHARED_DIR" || true
fi

phase "install" tools/install.sh build test || report
phase "build the test tree (address and undefined sanitizers)" tools/build.sh test || report
phase "unit, $WEIR_SIM_SEEDS simulated seeds, corpora, checks" run_ctest test || true
if [ -x tests/run_e2e.sh ]; then
  phase "end to end: real SDKs against build/test/weir" tests/run_e2e.sh build/test/weir || true
fi

if [ "$size" = all ]; then
  phase "end to end: Codex and OpenCode against build/test/weir" env E2E_ONLY=cli tests/run_e2e.sh build/test/weir || true
  phase "build the release tree" tools/build.sh release all &&
    phase "unit tests of the release tree" run_ctest release -LE sim || true
  phase "build the tsan tree (thread sanitizer)" tools/build.sh tsan &&
    phase "unit tests of the tsan tree" run_ctest tsan -LE sim &&
    phase "${WEIR_TSAN_SEEDS:-1000} simulated seeds in the tsan tree" tsan_simulation || true
  phase "every fuzzer, ${FUZZ_SECONDS:-30} s each" tools/fuzz.sh || true
  phase "h2spec against build/test/weir" tools/h2spec.sh || true
  phase "arm64: cross build, unit tests under qemu-user" tools/arm64.sh || true
  phase "bare Debian 12: make run and make test in a chroot" tools/bare.sh || true
fi
report
