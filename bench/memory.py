"""Resident memory of the systems under test: idle, under load, with many idle connections and streams."""

import resource
import socket

import systems

CONNECTIONS = 4_500


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_possible():
    """Each proxied stream takes two files of the proxy."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS, (soft - 500) // 2)


def open_connection(url, request):
    connection = socket.create_connection(systems.address_of(url), timeout=20)
    connection.sendall(request)
    return connection


def is_served(connection):
    """Reads the start of the answer."""
    return connection.recv(65_536).startswith(b"HTTP/1.1 200")


def kb_each(system, url, request, waits):
    """Kilobytes for each of many connections that stay open, and how many were served. `waits`: one request
    after the other."""
    before = system.rss_kb()
    opened, served = [], 0
    try:
        for _ in range(connections_possible()):
            opened.append(open_connection(url, request))
            served += waits and is_served(opened[-1])
        if not waits:
            served = sum(is_served(connection) for connection in opened)
        return (system.rss_kb() - before) / max(1, served), served
    finally:
        for connection in opened:
            connection.close()


def measure(make_systems, weir_binary, run_load, case):
    """`run_load` puts `case` on a system. Each figure has a fresh process, so that none inherits warm pages."""
    results = {}
    for make in make_systems:
        figures = {}
        system = make().start().wait_ready()
        try:
            figures["idle_kb"] = system.rss_kb()
            load = ("--connections", case.connections, "--duration", "1s")
            run_load(weir_binary, system.urls["json"], case, *load)
            figures["loaded_kb"] = system.rss_kb()
        finally:
            system.stop()
        for name, kind, model, waits in (
            ("kb_per_idle", "json", "mock-json", True),
            ("kb_per_stream", "sse", "mock-sse-paced-2000ms-100", False),
        ):
            system = make().start().wait_ready()
            try:
                url = system.urls[kind]
                request = systems.request_bytes(url, model, stream=kind == "sse")
                figures[name], figures[name + "_count"] = kb_each(system, url, request, waits)
            finally:
                system.stop()
        results[system.name] = figures
        print(
            f"memory of {system.name:>6}: idle {figures['idle_kb'] / 1024:.1f} MB, after load "
            f"{figures['loaded_kb'] / 1024:.1f} MB, {figures['kb_per_idle']:.1f} KB for each of "
            f"{figures['kb_per_idle_count']} idle connections, {figures['kb_per_stream']:.1f} KB for each of "
            f"{figures['kb_per_stream_count']} open streams",
            flush=True,
        )
    return results
