#!/usr/bin/env bash
# The checks, the layout of every C++ file, and clang-tidy on the .cpp files that differ from the upstream branch
# (ALL=1: on every one), but for those of bench/: it reads by the commands of the test tree, which has none of them.
source "$(dirname "$0")/common.sh"

tools/install.sh build lint
[ -f build/test/build.ninja ] || cmake --preset test >/dev/null
failed=0

tools/checks/run.py --build-dir build/test || failed=1

files() { git ls-files '*.cpp' '*.h' | sort -u; }
files | xargs -r clang-format-19 --dry-run --Werror || { say "Wrong layout; make fmt puts it right."; failed=1; }

changed() {
  local base
  base=$(git merge-base HEAD '@{upstream}' 2>/dev/null || git rev-parse HEAD~1 2>/dev/null || true)
  { [ -z "$base" ] || git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git diff --name-only --diff-filter=d -- '*.cpp'; } | sort -u
}
if [ -n "${ALL:-}" ]; then chosen=$(files | grep '\.cpp$'); else chosen=$(changed); fi
chosen=$(printf '%s\n' "$chosen" | grep -E '^(src|tests|cmake)/' || true)
if [ -n "$chosen" ]; then
  # The compile commands name the precompiled headers, so those have to be there.
  ninja -C build/test weir_pch weir_test_pch >/dev/null
  printf '%s\n' "$chosen" | xargs -P "$(jobs_max)" -n 1 clang-tidy-19 --quiet -p build/test || failed=1
fi
exit $failed
