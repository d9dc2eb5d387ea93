#!/usr/bin/env bash
# Lays out every C++ file as .clang-format says.
source "$(dirname "$0")/common.sh"

tools/install.sh lint
git ls-files --cached --others --exclude-standard 'src/*.cpp' 'src/*.h' 'tests/*.cpp' 'tests/*.h' 'bench/*.cpp' 'bench/*.h' |
  sort -u | xargs -r clang-format-19 -i
