#!/usr/bin/env python3
"""How fast tokens are counted, from Google Benchmark: bench/tokens_bench.cpp measures, this prints.

usage: tokens.py BENCH_MICRO

Megabytes a second of one core, the median of some repetitions.
"""

import json
import subprocess
import sys

EXACT_MIN_MB_S = 20
REPETITIONS = 5


def measure(program):
    command = [program, "--benchmark_filter=^(count_exactly|bound_from_above|estimate)(/|$)"]
    command += ["--benchmark_min_time=0.05", f"--benchmark_repetitions={REPETITIONS}"]
    command += ["--benchmark_report_aggregates_only=true", "--benchmark_format=json"]
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    medians = (one for one in out["benchmarks"] if one["aggregate_name"] == "median")
    return {one["run_name"]: one["bytes_per_second"] / 1e6 for one in medians}


def main():
    found = measure(sys.argv[1])
    print("\ntokens counted, MB/s")
    for name, speed in found.items():
        print(f"{name:40}{speed:8.1f}")
    worst, name = min((speed, name) for name, speed in found.items() if name.startswith("count_exactly"))
    verdict = "ok" if worst >= EXACT_MIN_MB_S else "short"
    print(f"\nexact count: bar at least {EXACT_MIN_MB_S} MB/s, the slowest {worst:.1f} ({name}): {verdict}")


if __name__ == "__main__":
    main()
