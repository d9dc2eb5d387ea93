#!/usr/bin/env bash
# Makes cmake/release.profdata anew: counts which ways the release binary takes under the benchmark's load and in
# every translation, for the compiler to lay it out by. Do it when the way of a request has changed much; what has
# changed since is compiled as without a profile.
source "$(dirname "$0")/common.sh"

profiles=build/profile/counted
# What runs besides the load (programs of the build, `weir key`) counts too, and is left out.
export LLVM_PROFILE_FILE=$PWD/build/profile/left_out.profraw
tools/install.sh build bench profile
tools/build.sh release weir mock_upstream
tools/build.sh profile weir weir_bench_micro
rm -rf "$profiles"
python3 bench/train.py build/profile/weir build/release/weir build/release/mock_upstream "$profiles"
LLVM_PROFILE_FILE=$profiles/translate.profraw build/profile/weir_bench_micro \
  --benchmark_filter='^translate/' --benchmark_min_time=0.01 --benchmark_out=/dev/null >/dev/null
# Sparse: what the load never came through is not taken for cold.
llvm-profdata-19 merge --sparse --output=cmake/release.profdata "$profiles"/*.profraw
say "cmake/release.profdata: $(du -k cmake/release.profdata | cut -f1) KB; make build uses it"
