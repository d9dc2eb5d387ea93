#!/usr/bin/env bash
# Lays out every C++ file as .clang-format says.
source "$(dirname "$0")/common.sh"

tools/install.sh lint
git ls-files --cached --others --exclude-standard '*.cpp' '*.h' | sort -u |
  xargs -r clang-format-19 -i
