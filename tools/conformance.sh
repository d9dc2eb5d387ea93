#!/usr/bin/env bash
# `make conformance`: prints the matrix of dialects (tests/conformance) and, when nothing in it fails, puts it into
# docs/dialects.md behind the line that says so. CLIENT and TARGET narrow it to one pair, which only prints.
source "$(dirname "$0")/common.sh"

tools/install.sh build test
tools/build.sh test weir_conformance
mkdir -p build
matrix=build/conformance.md
if [ -n "${CLIENT:-}" ] && [ -n "${TARGET:-}" ]; then
  exec build/test/weir_conformance tests/conformance/refusals.txt "$CLIENT" "$TARGET"
fi
build/test/weir_conformance tests/conformance/refusals.txt | tee $matrix
page=docs/dialects.md
mark='<!-- From here on written by `make conformance`. -->'
grep -qxF "$mark" $page || die "$page has lost its line $mark"
{ sed "/^$mark\$/q" $page; cat $matrix; } >build/dialects.md
cp build/dialects.md $page
