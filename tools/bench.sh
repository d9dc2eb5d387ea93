#!/usr/bin/env bash
# Builds the release binary and the mock provider, and measures Weir beside nginx in one run: bench/run.py does the work
# and prints the table; then the cost of each translation, and the speed of counting tokens. QUICK=1 takes 3 minutes
# instead of 14.
source "$(dirname "$0")/common.sh"

tools/install.sh build bench
tools/build.sh release weir mock_upstream weir_bench_micro
python3 bench/run.py build/weir build/release/mock_upstream
python3 bench/translate.py build/release/weir_bench_micro
python3 bench/tokens.py build/release/weir_bench_micro
