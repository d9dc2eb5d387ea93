#!/usr/bin/env bash
# Builds the release binary and measures it beside nginx in one run: bench/run.sh does the work and prints the table.
source "$(dirname "$0")/common.sh"

tools/install.sh build bench
tools/build.sh release
exec bench/run.sh build/weir
