#!/usr/bin/env bash
# `make mutate`: mutants of the codecs, compiled once and tried one by one against their tests (tests/mutate). COUNT and
# SEED choose others; `tests/mutate/run.py --only NUMBER` shows what one of them does.
source "$(dirname "$0")/common.sh"

tools/install.sh build test
exec python3 tests/mutate/run.py --count "${COUNT:-600}" --seed "${SEED:-1}"
