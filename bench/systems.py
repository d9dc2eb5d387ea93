"""The processes of the benchmark: the mock provider, nginx and Weir, each pinned to a core, and what the
kernel says of them (CPU time, memory)."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"
UNDER_TEST, REST = 0, min(1, os.cpu_count() - 1)  # cores: the system under test has one for itself

MODEL_PREFIX = "mock-"
TRANSLATED_PREFIX = "ant-"  # Weir sends these as Anthropic Messages
CLIENT_KEY = ""  # of the clients, made by `weir key`


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class System:
    """A server process. `urls`: what the load generator is pointed at, by kind of request."""

    def __init__(self, name, command, urls, env=None, core=UNDER_TEST):
        self.name = name
        self.command = [str(part) for part in command]
        self.urls = urls
        self.env = {**os.environ, **(env or {})}
        self.core = core
        self.child = None
        self.log_path = FOLDER / f"{name}.log"

    def start(self, wrapper=()):
        with self.log_path.open("ab") as log:
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {self.core})  # inherited by the child: no `taskset` between exec and main
            try:
                self.child = subprocess.Popen([*wrapper, *self.command], stdout=log, stderr=log, env=self.env)
            finally:
                os.sched_setaffinity(0, before)
        return self

    def stop(self):
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child = None

    def pids(self):
        """The process and its children: nginx serves from a worker."""
        pid = self.child.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_ns(self):
        """CPU time of all threads so far (schedstat: nanoseconds on a processor)."""
        total = 0
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    total += int((task / "schedstat").read_text().split()[0])
                except FileNotFoundError:
                    pass
        return total

    def rss_kb(self):
        """Resident memory; of nginx the worker's, which serves."""
        status = pathlib.Path(f"/proc/{self.pids()[-1]}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.child.poll() is not None:
                break
            if first_answer(self.urls["json"], 1) == 200:
                return self
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not serve; the end of {self.log_path}:\n{self.log_tail()}")

    def log_tail(self):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-15:])


def request_bytes(url, model, stream=False):
    """One chat request as it goes over the wire."""
    host, _, path = url.removeprefix("http://").partition("/")
    messages = [{"role": "user", "content": "x" * 100}]
    body = json.dumps({"model": model, "stream": stream, "messages": messages})
    return (
        f"POST /{path or 'v1/chat/completions'} HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {CLIENT_KEY}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def address_of(url):
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    return host, int(port)


def first_answer(url, seconds):
    """The status of one request, or None when nobody answers."""
    try:
        connection = http.client.HTTPConnection(*address_of(url), timeout=seconds)
        body = json.dumps({"model": "mock-json", "messages": [{"role": "user", "content": "x"}]})
        headers = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        status = connection.getresponse().status
        connection.close()
        return status
    except OSError:
        return None


def mock(binary):
    """Starts it at once: the others need its port."""
    port = free_port()
    system = System("mock", [binary, str(port)], {"json": f"http://127.0.0.1:{port}"}, core=REST)
    system.urls["sse"] = system.urls["json"]
    return system.start().wait_ready()


NGINX = """
daemon off;
master_process {master};
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log warn;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_max_body_size 64m;
  client_body_buffer_size 256k;
  proxy_read_timeout 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream provider {{
    server {upstream};
    keepalive 512;
    keepalive_requests 1000000000;
  }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {{
    listen 127.0.0.1:{port} backlog=8192;
    location / {{ proxy_pass http://provider; }}
  }}
  server {{
    listen 127.0.0.1:{stream_port} backlog=8192;
    location / {{ proxy_pass http://provider; proxy_buffering off; }}
  }}
}}
"""


def nginx(upstream_url, name="nginx", master=True):
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    port, stream_port = free_port(), free_port()
    config = FOLDER / f"{name}.conf"
    config.write_text(
        NGINX.format(
            folder=FOLDER,
            upstream=upstream_url.removeprefix("http://"),
            port=port,
            stream_port=stream_port,
            master="on" if master else "off",
        )
    )
    command = [binary, "-p", FOLDER, "-c", config, "-e", FOLDER / "nginx.error.log"]
    urls = {"json": f"http://127.0.0.1:{port}", "sse": f"http://127.0.0.1:{stream_port}"}
    return System(name, command, urls)


def weir(binary, upstream_url, name="weir", more=None):
    """Everything that a configuration without more settings has on, and keys and the access log in a file; one
    thread as nginx has one worker. `more`: sections besides, by name."""
    global CLIENT_KEY
    port, admin_port = free_port(), free_port()
    if not CLIENT_KEY:
        made = subprocess.run([binary, "key"], capture_output=True, text=True, check=True).stdout
        line = next(line for line in made.splitlines() if line.startswith("key:"))
        CLIENT_KEY = line.split(":", 1)[1].strip()
    config = {
        "server": {
            "listen": f"127.0.0.1:{port}",
            "admin_listen": f"127.0.0.1:{admin_port}",
            "data_dir": str(FOLDER / f"{name}-data"),
            "threads": 1,
            "access_log": str(FOLDER / f"{name}.access.log"),
        },
        "providers": [
            {"name": provider, "kind": kind, "base_url": base_url, "keys": [{"env": "BENCH_KEY"}]}
            for provider, kind, base_url in (
                ("mock", "openai", f"{upstream_url}/v1"),
                ("mock-anthropic", "anthropic", upstream_url),
            )
        ],
        "routes": [
            {"model": f"{prefix}*", "targets": [{"provider": provider, "model": f"{MODEL_PREFIX}*"}]}
            for prefix, provider in ((MODEL_PREFIX, "mock"), (TRANSLATED_PREFIX, "mock-anthropic"))
        ],
        "keys": [{"name": "bench", "env": "BENCH_CLIENT_KEY"}],
        **(more or {}),
    }
    path = FOLDER / f"{name}.yaml"
    path.write_text(json.dumps(config, indent=1))  # JSON is YAML
    url = f"http://127.0.0.1:{port}"
    env = {"BENCH_KEY": "sk-bench-upstream", "BENCH_CLIENT_KEY": CLIENT_KEY}
    system = System(name, [binary, "serve", "--config", path], {"json": url, "sse": url}, env)
    system.admin_url = f"http://127.0.0.1:{admin_port}"
    return system
