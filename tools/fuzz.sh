#!/usr/bin/env bash
# Runs each fuzzer of the test tree for FUZZ_SECONDS (30), from its corpus in tests/corpus; FUZZERS="a_fuzz b_fuzz"
# chooses some. What it finds that is new goes to build/fuzz/NAME/corpus, what breaks to build/fuzz/NAME/crash-*.
source "$(dirname "$0")/common.sh"

seconds=${FUZZ_SECONDS:-30}
tools/install.sh build test
names=${FUZZERS:-$(find src -name '*_fuzz.cpp' -printf '%f\n' | sed 's/\.cpp$//' | sort)}
[ -n "$names" ] || not_run "there are no fuzzers"
tools/build.sh test $names

fuzz_one() {
  local name=$1 seconds=$2 folder=build/fuzz/$1 seeds=()
  mkdir -p "$folder/corpus"
  if [ -d "tests/corpus/$name" ]; then seeds=("tests/corpus/$name"); fi
  if "build/test/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$folder/" "$folder/corpus" ${seeds[@]+"${seeds[@]}"} >"$folder/log" 2>&1; then
    printf 'ok      %-28s %12s runs\n' "$name" "$(awk '/stat::number_of_executed_units/ { print $2 }' "$folder/log")"
  else
    printf 'FAILED  %-28s see %s/log\n' "$name" "$folder"
    tail -n 30 "$folder/log"
    return 1
  fi
}
export -f fuzz_one

printf '%s\n' $names | xargs -P "$(nproc)" -I{} bash -c "fuzz_one {} $seconds"
