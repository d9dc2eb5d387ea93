#!/usr/bin/env python3
"""The cost of translation as tables, from Google Benchmark: bench/translate_bench.cpp measures, this prints.

usage: translate.py BENCH_MICRO      a copy goes to build/bench/translate.json

Times are CPU microseconds of one core, the median of some repetitions. Beside each pair of a request of 8 KB and
its answer stands what it costs over the raw way of the same client, which is what the first bar is about.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench" / "translate.json"
OVER_RAW_MAX_US = 40.0
EVENT_MAX_US = 1.5
REPETITIONS = 5


def measure(program):
    OUT.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            program,
            "--benchmark_filter=^translate/",
            "--benchmark_min_time=0.01",
            f"--benchmark_repetitions={REPETITIONS}",
            "--benchmark_enable_random_interleaving=true",
            "--benchmark_report_aggregates_only=true",
            "--benchmark_format=json",
            f"--benchmark_out={OUT}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found = {}
    for one in json.loads(OUT.read_text())["benchmarks"]:
        if one["aggregate_name"] != "median":
            continue
        key = tuple(one["run_name"].split("/")[1:])
        if "items_per_second" in one:
            found[key] = 1e6 / one["items_per_second"]
        else:
            found[key] = one["cpu_time"] / {"ns": 1e3, "us": 1, "ms": 1e-3}[one["time_unit"]]
    return found


def table(title, dialects, cell):
    width = 1 + max(len(name) for name in dialects)
    print(f"\n{title}\n{'client, provider':{width}}" + "".join(f"{name:>{width}}" for name in dialects))
    for client in dialects:
        print(f"{client:{width}}" + "".join(f"{cell(client, target):>{width}}" for target in dialects))


def main():
    found = measure(sys.argv[1])
    dialects = sorted({key[2] for key in found if key[0] == "raw"})  # they ran in any order
    pairs = [(client, target) for client in dialects for target in dialects if client != target]
    for size in ("2k", "8k", "100k", "tools"):
        table(
            f"request of {size}, decoded and encoded, us" + (" (8 KB, ten tools)" if size == "tools" else ""),
            dialects,
            lambda client, target, size=size: f"{found['request', size, client, target]:.1f}",
        )
    table("whole answer of 3 KB, us", dialects, lambda c, t: f"{found['answer', 'whole', c, t]:.1f}")
    table("streamed event, us (of 200, some at a time)", dialects, lambda c, t: f"{found['event', 'stream', c, t]:.2f}")

    def over_raw(client, target):
        whole = found["request", "8k", client, target] + found["answer", "whole", client, target]
        return whole - found["raw", "8k", client]

    table("request of 8 KB and its answer, over the raw way, us", dialects, lambda c, t: f"{over_raw(c, t):.1f}")
    for what, limit, worst in (
        ("translation of 8 KB over the raw way", OVER_RAW_MAX_US, max((over_raw(*p), p) for p in pairs)),
        ("translated stream event", EVENT_MAX_US, max((found["event", "stream", *p], p) for p in pairs)),
    ):
        verdict = "ok" if worst[0] <= limit else "short"
        print(f"\n{what}: bar {limit} us, the slowest of {len(pairs)} pairs {worst[0]:.2f} ({' to '.join(worst[1])}): {verdict}")


if __name__ == "__main__":
    main()
