"""How long a new configuration of 10,000 models and keys keeps a core from its requests, under load."""

import json
import statistics
import subprocess
import threading

import systems

COUNT = 10_000
RELOADS = 5


def enlarge(config):
    """The configuration with that many models and keys more."""
    target = {"provider": "mock", "model": "mock-json"}
    config["routes"] += [{"model": f"model-{i}", "targets": [target]} for i in range(COUNT)]
    config["keys"] += [{"name": f"key-{i}", "hash": f"sha256:{i:064x}"} for i in range(COUNT)]


def reload(weir_binary, system):
    command = [weir_binary, "reload", "--json", "--admin-url", system.admin_url, "--key", systems.CLIENT_KEY]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(weir_binary, make_weir, run_load, case):
    """`run_load` puts `case` on the system meanwhile; no request of it may fail."""
    system = make_weir()
    path = systems.FOLDER / f"{system.name}.yaml"
    config = json.loads(path.read_text())
    config["keys"][0]["admin"] = True
    path.write_text(json.dumps(config))
    system.start().wait_ready()
    report = {}
    load = ("--connections", case.connections, "--duration", "6s")
    asking = threading.Thread(
        target=lambda: report.update(run_load(weir_binary, system.urls["json"], case, *load))
    )
    try:
        asking.start()
        enlarge(config)
        path.write_text(json.dumps(config, indent=1))
        told = [reload(weir_binary, system) for _ in range(RELOADS)]
        asking.join()
    finally:
        system.stop()
    figures = {
        "swap_ms": max(one["swap_ms_slowest_core"] for one in told),
        "compile_ms": statistics.median(one["compile_ms"] for one in told),
        "completed": report["completed"],
        "failed": sum(report["errors"].values()),
    }
    print(
        f"{COUNT} models and keys taken {RELOADS} times under load: read and compiled in {figures['compile_ms']:.0f} ms, "
        f"a core swapped in at most {figures['swap_ms']:.3f} ms; {figures['failed']} of {figures['completed']} "
        "requests failed",
        flush=True,
    )
    return figures
