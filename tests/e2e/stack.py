"""Starts what the tests talk to: the fake provider, and Weir in front of it.

As a command it runs another command inside such a stack: `stack.py [--direct] -- node --test` gives it
OPENAI_URL, ANTHROPIC_URL, GEMINI_URL, BEDROCK_URL, FAKE_OPENAI_URL, FAKE_ANTHROPIC_URL and, with Weir,
WEIR_URL and WEIR_ADMIN_URL.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from fake import sigv4

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON_LANES = 50  # of the MATRIX_LANES of each upstream; the rest are the JavaScript tests'
MATRIX_LANES = 154
SCHEMA_LANES = range(100, 148)  # those of test_schemas.py
LANES = 300  # targets of their own for faulty requests: a breaker that opens harms no other test
OPENAI_KEY = "sk-fake-upstream"
ANTHROPIC_KEY = "sk-ant-fake-upstream"
GEMINI_KEY = "AIza-fake-upstream"
AWS_KEY = next(iter(sigv4.SECRETS))
BEDROCK_KEY = "bedrock-fake-upstream"  # Bedrock's own kind of key, a bearer token
ANTHROPIC_CLIENT_KEY = "sk-ant-fake-client"
CLIENT_KEY = "sk-fake-client"  # not of Weir's form: on the loopback without keys it counts as absent


def weir_binary():
    return pathlib.Path(os.environ.get("WEIR_BINARY") or ROOT / "build/test/weir")


# The upstreams of the matrix: kind of provider, where the fake speaks it, the key's variable, the provider's
# name for a model. Vendors whose models differ in their abilities get a name that says whose it is.
UPSTREAMS = {
    "oai": ("openai", "openai_url", "", "FAKE_OPENAI_KEY", "*"),
    "rsp": ("openai_responses", "openai_url", "", "FAKE_OPENAI_KEY", "*"),
    "ant": ("anthropic", "anthropic_url", "", "FAKE_ANTHROPIC_KEY", "*"),
    "cnv": ("bedrock", "bedrock_url", "", None, "anthropic.*"),  # SigV4, by the environment's credentials
    "inv": ("bedrock_invoke", "bedrock_url", "", "FAKE_BEDROCK_KEY", "anthropic.*"),
    "gem": ("gemini", "gemini_url", "/v1beta", "FAKE_GEMINI_KEY", "*"),
}
CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
# What the tutorials of AWS ask for, in the spellings that AWS has for it, each served by another upstream.
AWS_NAMES = {
    "oai": CLAUDE,
    "gem": f"us.{CLAUDE}",
    "cnv": f"eu.{CLAUDE}",
    "rsp": f"apac.{CLAUDE}",
    "ant": f"global.{CLAUDE}",
    "inv": f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{CLAUDE}",
}


def target(provider, model):
    return [{"provider": provider, "model": model}]


def matrix_config(fake):
    """Providers and routes of all six upstreams: a plain one of each, and targets for failing tests."""
    providers, routes = [], []
    for prefix, (kind, url, path, key, model) in UPSTREAMS.items():
        for lane in ["", *(f"-x{number:03}" for number in range(MATRIX_LANES))]:
            name = f"matrix-{prefix}{lane}"
            made = {"name": name, "kind": kind, "base_url": fake[url].removesuffix(path) + path}
            made |= {"keys": [{"env": key}]} if key else {}
            made |= {"region": "us-east-1"} if "bedrock" in kind else {}
            providers.append(made)
            routes.append({"model": f"{prefix}{lane}.*", "targets": target(name, model)})
        text = model.replace("*", "fake-text")
        routes.append({"model": AWS_NAMES[prefix], "targets": target(f"matrix-{prefix}", text)})
    # Embedding models of others than Anthropic, whose bodies have shapes of their own.
    routes.append({"model": "embed.*", "targets": target("matrix-inv", "*")})
    return providers, routes


def weir_config(fake):
    """The configuration under test; the one place that knows its shape. `fake` has the fake's addresses."""
    providers, routes = matrix_config(fake)
    kinds = [
        ("oai", "openai", fake["openai_url"], "FAKE_OPENAI_KEY"),
        ("ant", "anthropic", fake["anthropic_url"], "FAKE_ANTHROPIC_KEY"),
    ]
    for prefix, kind, url, key in kinds:
        for lane in [prefix, *(f"{prefix}-f{number:03}" for number in range(LANES))]:
            providers.append({"name": f"fake-{lane}", "kind": kind, "base_url": url, "keys": [{"env": key}]})
            routes.append({"model": f"{lane}/*", "targets": target(f"fake-{lane}", "*")})
        routes.append({"model": f"{prefix}-plain-model", "targets": target(f"fake-{prefix}", "fake-text")})
    providers.append(
        {
            "name": "fake-dead",
            "kind": "openai",
            "base_url": "http://127.0.0.1:1/v1",
            "keys": [{"env": "FAKE_OPENAI_KEY"}],
        }
    )
    for first in ("fake-dead", *(f"fake-oai-f{lane:03}" for lane in range(4))):
        routes.append(
            {
                "model": f"{first}-then-ant/*",
                "strategy": "ordered",
                "targets": [{"provider": first, "model": "*"}, {"provider": "fake-ant", "model": "*"}],
            }
        )
    dead_first = target("fake-dead", "*") + target("fake-oai", "*")
    routes.append({"model": "fake-dead-then-oai/*", "strategy": "ordered", "targets": dead_first})
    return {"providers": providers, "routes": routes}


class Process:
    """A server in a child process, with its log in a file and a ready file that it writes."""

    def __init__(self, name, folder, command, env=None):
        self.name = name
        self.log_path = folder / f"{name}.log"
        self.ready_path = folder / f"{name}.ready"
        self.log = self.log_path.open("w")
        self.child = subprocess.Popen(
            [*map(str, command), "--ready-file", str(self.ready_path)],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
        self.ready = self.wait_ready(60)

    def wait_ready(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ready_path.exists() and (text := self.ready_path.read_text().strip()):
                return json.loads(text)
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{self.log_tail()}")
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.name} is not ready after {seconds} s:\n{self.log_tail()}")

    def log_tail(self, lines=60, since=0):
        with self.log_path.open(errors="replace") as file:
            file.seek(since)
            return "\n".join(file.read().splitlines()[-lines:])

    def log_size(self):
        return self.log_path.stat().st_size

    def stop(self):
        """Ends the child and gives its exit code; one that does not end within 20 s is killed."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            code = self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        self.log.close()
        return code


class Stack:
    """The fake provider and, unless `direct`, Weir in front of it."""

    def __init__(self, direct, **sections):
        self.direct = direct
        self.sections = sections  # more of the configuration file, e.g. server={...}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-e2e-"))
        self.weir = None
        # The fake checks by the SDKs that are installed, also where the clients are older ones.
        fake = [sys.executable, ROOT / "tests/e2e/fake_provider.py"]
        if direct:
            fake.append("--takes-reasoning")  # it tells its own, which clients send back
        self.fake = Process("fake", self.folder, fake, {"PYTHONPATH": ""})
        self.fake_openai_url = self.fake.ready["openai_url"]
        self.fake_anthropic_url = self.fake.ready["anthropic_url"]
        self.fake_gemini_url = self.fake.ready["gemini_url"]
        self.fake_bedrock_url = self.fake.ready["bedrock_url"]
        if not direct:
            try:
                self.start_weir()
            except Exception:
                self.fake.stop()
                raise

    def start_weir(self, listen="127.0.0.1:0", name="weir"):
        config = self.folder / "weir.yaml"  # JSON is YAML
        config.write_text(json.dumps(weir_config(self.fake.ready) | self.sections, indent=1))
        command = [
            weir_binary(),
            "serve",
            "--config",
            config,
            "--listen",
            listen,
            "--admin-listen",
            "127.0.0.1:0",
            "--data-dir",
            self.folder / "data",
        ]
        env = {
            "FAKE_OPENAI_KEY": OPENAI_KEY,
            "FAKE_ANTHROPIC_KEY": ANTHROPIC_KEY,
            "FAKE_GEMINI_KEY": GEMINI_KEY,
            "FAKE_BEDROCK_KEY": BEDROCK_KEY,
            "AWS_ACCESS_KEY_ID": AWS_KEY,
            "AWS_SECRET_ACCESS_KEY": sigv4.SECRETS[AWS_KEY],
            # A sanitized build keeps what was freed for a while: so little that memory can be measured beside it.
            "ASAN_OPTIONS": "quarantine_size_mb=4",
        }
        self.weir = Process(name, self.folder, command, env)

    @property
    def processes(self):
        return [process for process in (self.weir, self.fake) if process]

    @property
    def openai_url(self):
        return self.fake_openai_url if self.direct else f"{self.weir.ready['url']}/v1"

    @property
    def anthropic_url(self):
        return self.fake_anthropic_url if self.direct else self.weir.ready["url"]

    @property
    def gemini_url(self):
        return self.fake_gemini_url if self.direct else self.weir.ready["url"]

    @property
    def bedrock_url(self):
        return self.fake_bedrock_url if self.direct else self.weir.ready["url"]

    def records(self, test_id):
        """What the fake received with this test id, in order."""
        url = f"{self.fake_anthropic_url}/_requests?{urllib.parse.urlencode({'id': test_id})}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)

    def env(self):
        found = {
            "OPENAI_URL": self.openai_url,
            "ANTHROPIC_URL": self.anthropic_url,
            "GEMINI_URL": self.gemini_url,
            "BEDROCK_URL": self.bedrock_url,
            "FAKE_OPENAI_URL": self.fake_openai_url,
            "FAKE_ANTHROPIC_URL": self.fake_anthropic_url,
            "WEIR_LANES": str(LANES),
        }
        if self.weir:
            found |= {"WEIR_URL": self.weir.ready["url"], "WEIR_ADMIN_URL": self.weir.ready["admin_url"]}
        return found

    @property
    def is_up(self):
        """Whether the fake can be asked what it saw: not when the last test's end stops everything."""
        return self.fake.child.poll() is None

    def stop(self):
        """Ends both. Returns Weir's exit code, 0 without Weir."""
        code = self.weir.stop() if self.weir else 0
        self.fake.stop()
        return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--direct", action="store_true", help="without Weir in between")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    stack = Stack(given.direct)
    code = 1
    try:
        code = subprocess.call(given.command, env={**os.environ, **stack.env()})
    finally:
        weir_code = stack.stop()
        if code or weir_code:
            for process in stack.processes:
                print(f"--- the end of {process.log_path}\n{process.log_tail()}", file=sys.stderr)
        if weir_code:
            print(f"weir ended with {weir_code}", file=sys.stderr)
    sys.exit(code or weir_code)


if __name__ == "__main__":
    main()
