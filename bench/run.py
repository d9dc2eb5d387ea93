#!/usr/bin/env python3
"""`make bench`: Weir beside nginx in one run, as one table of ratios, and the bars that Weir holds itself to.

usage: run.py [WEIR [MOCK_UPSTREAM]]      QUICK=1: about 3 minutes instead of 14, with more noise

The system under test has core 0 for itself; the load generator (`weir bench`) and the mock provider share
core 1, so requests per second are limited by those two. What is compared is therefore CPU time for each request,
which the kernel counts for all threads of the system. Rounds alternate between the systems; the figures are
medians. A copy goes to build/bench/result.json.
"""

import dataclasses
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import memory
import reload
import systems
from systems import FOLDER, ROOT, TRANSLATED_PREFIX

QUICK = os.environ.get("QUICK") == "1"
ROUNDS, SECONDS = (3, 0.6) if QUICK else (7, 1.0)
# Many short rounds: a stall of the machine spoils the tail of the round that it falls into.
RATE_ROUNDS, RATE_SECONDS = (9, 0.6) if QUICK else (21, 0.8)
RATES = (5_000,) if QUICK else (5_000, 20_000)
START_ROUNDS = 5 if QUICK else 15
INSTRUCTION_REQUESTS = 300 if QUICK else 1_000


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    model: str
    connections: int
    prompt_bytes: int = 900  # makes a body of 1 KB
    events: int = 0  # content events of a stream; 0: a whole answer
    is_translated: bool = False  # Weir alone: OpenAI's dialect from the client, Anthropic's to the provider

    @property
    def kind(self):
        return "sse" if self.events else "json"


def cases():
    made = []
    for size, prompt in (("1 KB", 900), ("100 KB", 100_000)):
        for connections in (1, 16, 64, 256):
            made.append(Case(f"JSON {size}, {connections} connections", "mock-json", connections, prompt))
    made.append(Case("JSON 1 KB translated, 16 connections", "mock-json", 16, is_translated=True))
    burst, paced = "SSE 40 events at once", "SSE 20 ms apart"
    for connections in (1, 16, 64):
        made.append(Case(f"{burst}, {connections} streams", "mock-sse-40", connections, events=40))
    made.append(Case(f"{burst} translated, 16 streams", "mock-sse-40", 16, events=40, is_translated=True))
    for name, is_translated in ((paced, False), (f"{paced} translated", True)):
        made.append(
            Case(f"{name}, 500 streams", "mock-sse-paced-20ms-21", 500, events=21, is_translated=is_translated)
        )
    return made


def run_load(weir_binary, url, case, *arguments):
    """One run of the load generator on the core that is not under test; its report."""
    model = case.model.replace("mock-", TRANSLATED_PREFIX, 1) if case.is_translated else case.model
    command = [weir_binary, "bench", "--json", "--url", url, "--model", model, "--key", systems.CLIENT_KEY]
    command += ["--prompt-bytes", case.prompt_bytes, "--timeout", "5s", *arguments]
    command += ["--stream"] if case.events else []
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {systems.REST}),
    )
    if not done.stdout:
        raise RuntimeError(f"the load generator failed at {url}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    # At a fixed rate the last one may be due just when the time is over.
    if report["errors"] or report["unsent"] > 1:
        print(f"  note: {case.name} at {url}: {report['errors']}, unsent {report['unsent']}", flush=True)
    return report


def closed_loop(weir_binary, system, case):
    """CPU microseconds for each request and requests per second."""
    seconds = SECONDS + (0.5 if "paced" in case.model else 0)
    before = system.cpu_ns()
    load = ("--connections", case.connections, "--duration", f"{seconds}s", "--warmup", "50ms")
    report = run_load(weir_binary, system.urls[case.kind], case, *load)
    cpu_ns = system.cpu_ns() - before
    requests = max(1, report["completed_with_warm_up"] + sum(report["errors"].values()))
    return {"cpu_us": cpu_ns / 1000 / requests, "rps": report["requests_per_second"],
            "p99_us": report["latency_us"]["p99"], "completed": report["completed"]}  # fmt: skip


def measure_cases(weir_binary, nginx, weir, mock):
    results = {}
    for case in cases():
        rounds = {"nginx": [], "weir": [], "mock": []}
        for turn in range(ROUNDS):
            pair = [weir] if case.is_translated else [nginx, weir]
            for system in pair if turn % 2 else reversed(pair):
                rounds[system.name].append(closed_loop(weir_binary, system, case))
            # The provider alone: its one recv and one send are half of what any proxy has to do.
            if not case.is_translated and turn < 3:
                rounds["mock"].append(closed_loop(weir_binary, mock, case))
        medians = {
            name: {field: statistics.median(one[field] for one in found) for field in found[0]}
            for name, found in rounds.items()
            if found
        }
        if not case.is_translated:
            pairs = zip(rounds["weir"], rounds["nginx"])
            medians["ratio"] = statistics.median(ours["cpu_us"] / theirs["cpu_us"] for ours, theirs in pairs)
        results[case.name] = medians
        print_case(case, medians)
    return results


def print_case(case, medians):
    ours, theirs, direct = medians["weir"], medians.get("nginx"), medians.get("mock")
    def column(found, field, digits):
        return f"{found[field]:>10.{digits}f}" if found else f"{'':>10}"
    ratio = f"{medians['ratio']:>8.2f}" if theirs else f"{'':>8}"
    per_event = f"{ours['cpu_us'] / case.events:>9.2f}" if case.events else f"{'':>9}"
    print(
        f"{case.name:<46}{column(theirs, 'cpu_us', 1)}{column(ours, 'cpu_us', 1)}{ratio}{per_event}"
        f"{column(theirs, 'rps', 0)}{column(ours, 'rps', 0)}{column(direct, 'rps', 0)}",
        flush=True,
    )


def measure_traced(weir_binary, weir, traced):
    """What it costs to send a span of every call to a collector, which the mock provider stands for."""
    case = Case("JSON 1 KB, 16 connections", "mock-json", 16)
    more = []
    traced.start().wait_ready()
    try:
        for turn in range(ROUNDS):
            pair = [weir, traced] if turn % 2 else [traced, weir]
            cpu_us = {system.name: closed_loop(weir_binary, system, case)["cpu_us"] for system in pair}
            more.append(cpu_us[traced.name] - cpu_us[weir.name])
    finally:
        traced.stop()
    print(f"{case.name}, every call traced: {statistics.median(more):+.1f} µs a request")
    return statistics.median(more)


def measure_rates(weir_binary, nginx, weir, mock):
    """Latency that each system adds to the direct way, at the same rate in the same round."""
    case = Case("fixed rate", "mock-json", 0)
    results = {}
    for rate in RATES:
        added = {name: {p: [] for p in ("p50", "p99", "p99.9")} for name in ("nginx", "weir")}
        cpu = {"nginx": [], "weir": []}
        for turn in range(RATE_ROUNDS):
            found = {}
            for system in (mock, nginx, weir) if turn % 2 else (mock, weir, nginx):
                before = system.cpu_ns()
                found[system.name] = run_load(
                    weir_binary, system.urls["json"], case, "--rate", rate, "--connections", 64,
                    "--duration", f"{RATE_SECONDS}s", "--warmup", "200ms",
                )  # fmt: skip
                if system.name in cpu:
                    requests = max(1, found[system.name]["completed_with_warm_up"])
                    cpu[system.name].append((system.cpu_ns() - before) / 1000 / requests)
            for name in added:
                for percentile, values in added[name].items():
                    direct = found["mock"]["latency_us"][percentile]
                    values.append(found[name]["latency_us"][percentile] - direct)
        for name, percentiles in added.items():
            figures = {percentile: statistics.median(values) for percentile, values in percentiles.items()}
            figures["cpu_us"] = statistics.median(cpu[name])
            results[f"{rate} {name}"] = figures
            texts = ", ".join(f"{percentile} {figures[percentile]:.0f} µs" for percentile in percentiles)
            cpu_text = f"{figures['cpu_us']:.1f} µs CPU a request"
            print(f"at {rate} requests/s {name:>6} adds {texts}; {cpu_text}", flush=True)
    return results


def measure_starts(make_systems):
    """Milliseconds from just before fork and exec to the end of the first proxied 200."""
    times = {}
    for _ in range(START_ROUNDS):
        for make in make_systems:
            system = make()
            started = time.perf_counter()
            system.start()
            while systems.first_answer(system.urls["json"], 5) != 200:
                if time.perf_counter() - started > 10:
                    raise RuntimeError(f"{system.name} does not serve:\n{system.log_tail()}")
                time.sleep(0.0002)
            times.setdefault(system.name, []).append((time.perf_counter() - started) * 1000)
            system.stop()
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, value in medians.items():
        print(f"from exec to the first proxied 200: {name:>6} {value:.1f} ms")
    return medians


def without_debug_information(binary):
    """A copy that valgrind can read: Debian's does not know all of clang 19's DWARF."""
    copy = FOLDER / "weir-counted"
    tool = shutil.which("objcopy") or shutil.which("llvm-objcopy-19")
    subprocess.run([tool, "--strip-debug", binary, copy], check=True) if tool else shutil.copy(binary, copy)
    return copy


def count_instructions(weir_binary, system, loads):
    """Instructions in user space of a life in which the load generator sends `loads`: [(Case, requests)]."""
    out = FOLDER / f"callgrind.{system.name}"
    out.unlink(missing_ok=True)
    system.start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"])
    try:
        system.wait_ready(120)
        for case, requests in loads:
            run_load(weir_binary, system.urls[case.kind], case, "--connections", 1, "--requests", requests)
    finally:
        system.stop()
    totals = next(line for line in out.read_text().splitlines() if line.startswith(("totals:", "summary:")))
    return int(totals.split()[1])


def measure_instructions(weir_binary, make_nginx, make_weir):
    """From the difference of N and 2N requests, so that starting and stopping do not count."""
    if not shutil.which("valgrind"):
        print("instructions: not measured, there is no valgrind")
        return {}
    requests = INSTRUCTION_REQUESTS
    plain = Case("instructions", "mock-json", 1)
    translated = dataclasses.replace(plain, is_translated=True)
    stream = dataclasses.replace(plain, model="mock-sse-40", events=40)
    results = {}
    for name, make, extras in (
        ("nginx JSON", make_nginx, {"nginx SSE of 40 events": stream}),
        ("weir JSON", make_weir, {"weir JSON translated": translated, "weir SSE of 40 events": stream}),
    ):
        once = count_instructions(weir_binary, make(), [(plain, requests)])
        more = {name: plain, **extras}
        for label, case in more.items():
            twice = count_instructions(weir_binary, make(), [(plain, requests), (case, requests)])
            results[label] = (twice - once) / requests
            print(f"instructions a request in user space: {label:<26} {results[label]:>10,.0f}", flush=True)
    return results


def bars(result):
    """(name, measured, limit, unit) of each bar: measured <= limit holds it."""
    found = result["cases"]
    for connections in (16, 64):
        case = f"JSON 1 KB, {connections} connections"
        yield f"{case}: CPU beside nginx", found[case]["ratio"], 1.0, "x"
    for connections in (1, 16, 64):
        ratio = found[f"SSE 40 events at once, {connections} streams"]["ratio"]
        yield f"SSE raw, {connections} streams: CPU of an event beside nginx", ratio, 1.0, "x"
    ratio = found["SSE 20 ms apart, 500 streams"]["ratio"]
    yield "SSE raw, paced: CPU of an event beside nginx", ratio, 1.0, "x"
    raw = found["JSON 1 KB, 16 connections"]["weir"]["cpu_us"]
    translated = found["JSON 1 KB translated, 16 connections"]["weir"]["cpu_us"]
    yield "translated chat: CPU more than raw", translated - raw, 40, "µs"
    for connections in (16, 64):
        case = f"JSON 100 KB, {connections} connections"
        yield f"{case}: CPU beside nginx", found[case]["ratio"], 1.25, "x"
    for rate in RATES:
        theirs, ours = result["rates"][f"{rate} nginx"], result["rates"][f"{rate} weir"]
        yield f"added p99 at {rate}/s, limit: nginx's", ours["p99"], theirs["p99"], "µs"
    ours = result["memory"]["weir"]
    yield "an open stream", ours["kb_per_stream"], 20, "KB"
    yield "an idle connection", ours["kb_per_idle"], 4, "KB"
    yield "idle", ours["idle_kb"] / 1024, 20, "MB"
    yield "10,000 models and keys: swap of a core", result["reload"]["swap_ms"], 10, "ms"
    yield "requests that fail meanwhile", result["reload"]["failed"], 0, ""
    yield "first 200 after exec", result["start_ms"]["weir"], 20, "ms"


def print_bars(result):
    print(f"\n{'bar':<58}{'limit':>12}{'measured':>12}")
    held = {}
    for name, measured, limit, unit in bars(result):
        held[name] = {"limit": limit, "measured": measured, "unit": unit, "ok": measured <= limit}
        verdict = "ok" if measured <= limit else "short"
        print(f"{name:<58}{f'{limit:.2f} {unit}':>12}{f'{measured:.2f} {unit}':>12}  {verdict}")
    return held


def print_floors(result):
    """What any proxy pays on this machine: it receives and sends twice, the mock provider once."""
    print(f"\n{'µs a request: twice what the provider alone pays':<54}{'floor':>8}{'nginx':>10}{'Weir':>10}")
    floors = {}
    for name, found in result["cases"].items():
        if "mock" not in found:
            continue
        floors[name] = 2 * found["mock"]["cpu_us"]
        over = (found[system]["cpu_us"] - floors[name] for system in ("nginx", "weir"))
        print(f"{name:<54}{floors[name]:>8.1f}" + "".join(f"{one:>+10.1f}" for one in over))
    return floors


def main():
    weir_binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/weir").resolve()
    mock_binary = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "build/release/mock_upstream")
    mock_binary = mock_binary.resolve()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.log"):
        old.unlink()
    started = time.monotonic()
    memory.raise_file_limit()
    mock = systems.mock(mock_binary)
    running = [mock]
    result = {"machine": platform.machine(), "cores": os.cpu_count(), "quick": QUICK, "rounds": ROUNDS}
    try:
        upstream = mock.urls["json"]
        make_weir = lambda: systems.weir(weir_binary, upstream)
        make_nginx = lambda: systems.nginx(upstream)
        result["start_ms"] = measure_starts([make_nginx, make_weir])
        load = Case("load", "mock-json", 64)
        result["memory"] = memory.measure([make_nginx, make_weir], weir_binary, run_load, load)
        make_reloaded = lambda: systems.weir(weir_binary, upstream, "weir-reloaded")
        result["reload"] = reload.measure(weir_binary, make_reloaded, run_load, Case("load", "mock-json", 16))
        nginx, weir = make_nginx().start(), make_weir().start()
        running += [nginx, weir]
        nginx.wait_ready()
        weir.wait_ready()
        print(f"\n{'':<46}{'CPU µs a request':^20}{'ratio':>8}{'per event':>9}{'requests/s':^30}")
        print(f"{'':<46}{'nginx':>10}{'Weir':>10}{'':>8}{'Weir':>9}{'nginx':>10}{'Weir':>10}{'direct':>10}")
        result["cases"] = measure_cases(weir_binary, nginx, weir, mock)
        telemetry = {"telemetry": {"otlp_endpoint": f"{upstream}/v1/traces"}}
        traced = systems.weir(weir_binary, upstream, "weir-traced", telemetry)
        result["traced_us"] = measure_traced(weir_binary, weir, traced)
        print()
        result["rates"] = measure_rates(weir_binary, nginx, weir, mock)
        nginx.stop()
        weir.stop()
        print()
        result["instructions"] = measure_instructions(
            weir_binary,
            lambda: systems.nginx(upstream, "nginx-counted", master=False),
            lambda: systems.weir(without_debug_information(weir_binary), upstream, "weir-counted"),
        )
    finally:
        for system in running:
            system.stop()
    result["floors_us"] = print_floors(result)
    result["bars"] = print_bars(result)
    result["seconds"] = time.monotonic() - started
    (FOLDER / "result.json").write_text(json.dumps(result, indent=1))
    print(f"\n{result['seconds']:.0f} s; the same as JSON: build/bench/result.json")


if __name__ == "__main__":
    main()
