#!/usr/bin/env bash
# Builds: tools/build.sh [PRESET [TARGET...]]. Without arguments the release binary, which it leaves at build/weir.
source "$(dirname "$0")/common.sh"

preset=${1:-release}
shift || true
if [ $# -eq 0 ] && [ "$preset" = release ]; then set -- weir; fi

tools/install.sh build
[ -f "build/$preset/build.ninja" ] && [ ! build/installed.stamp -nt "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
ninja -C "build/$preset" -j "$(jobs_max)" "$@"

if [ "$preset" = release ] && [ -f build/release/weir ]; then
  ln -f build/release/weir build/weir 2>/dev/null || cp -f build/release/weir build/weir
fi
