"""What `make run` does once Weir is there: tools/first_request.py, and the curl line of README.md."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import stack as stacks
from certificate import self_signed

pytestmark = pytest.mark.weir


class Weir:
    """A Weir of its own with this configuration."""

    def __init__(self, folder, **config):
        path = folder / "weir.yaml"
        path.write_text(json.dumps(config))
        command = [stacks.weir_binary(), "serve", "--config", path, "--data-dir", folder / "data"]
        command += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        self.process = stacks.Process("weir", folder, command)

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        assert self.process.stop() == 0, self.process.log_tail()


def first_request(weir, key=""):
    line = [sys.executable, stacks.ROOT / "tools/first_request.py", "--ready", weir.ready_path]
    env = {**os.environ, "WEIR_API_KEY": key}
    return subprocess.run(line, capture_output=True, text=True, timeout=60, env=env)


@pytest.fixture(scope="module")
def key():
    """A key with its hash."""
    made = subprocess.run([stacks.weir_binary(), "key", "--json"], capture_output=True, text=True, check=True)
    return json.loads(made.stdout)


def tls(folder):
    """A certificate for another name than the address that `make run` knows."""
    certificate, private = self_signed(folder, "weir.example")
    return {"tls_certificate": str(certificate), "tls_key": str(private)}


def test_it_sends_a_request_and_says_how_to_go_on(tmp_path):
    with Weir(tmp_path) as weir:
        done = first_request(weir)
        assert done.returncode == 0, done.stderr
        assert "Answer    Engineers build weirs" in done.stdout and 'api_key="none"' in done.stdout
        assert weir.ready["admin_url"] in done.stdout and "WEIR_API_KEY" not in done.stdout


def test_it_sends_the_key_of_the_environment_over_tls(tmp_path, key):
    keys = [{"name": "me", "hash": key["hash"]}]
    with Weir(tmp_path, server=tls(tmp_path), keys=keys) as weir:
        assert weir.ready["url"].startswith("https://")
        done = first_request(weir, key["key"])
        assert done.returncode == 0, done.stderr
        assert "Answer    Engineers build weirs" in done.stdout
        assert 'api_key=os.environ["WEIR_API_KEY"]' in done.stdout and "$WEIR_API_KEY" in done.stdout
        assert key["key"] not in done.stdout


def test_without_a_key_it_says_so_and_the_server_runs_on(tmp_path, key):
    with Weir(tmp_path, keys=[{"name": "me", "hash": key["hash"]}]) as weir:
        done = first_request(weir)
        assert done.returncode == 0, done.stderr
        assert "WEIR_API_KEY is not set" in done.stdout and "Answer" not in done.stdout
        wrong = first_request(weir, "wk_of_another_weir")
        assert wrong.returncode == 1 and "with the key of WEIR_API_KEY with status 401" in wrong.stderr


def answer_of(line, url):
    """The answer's text to a curl command that somebody copies."""
    command = shlex.split(line.replace("\\\n", " "))
    command = [re.sub(r"^http://127\.0\.0\.1:7480", url, word) for word in command]
    done = subprocess.run([*command, "-sS", "--noproxy", "*"], capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)["choices"][0]["message"]["content"]


def test_the_commands_to_copy_get_an_answer_out_of_their_text(tmp_path):
    command = re.compile(r"curl http[^\n]+\\\n[^\n]+")
    with Weir(tmp_path) as weir:
        told = first_request(weir).stdout
        for text in ((stacks.ROOT / "README.md").read_text(), told):
            answer = answer_of(command.search(text)[0], weir.ready["url"])
            assert answer == "A weir is a low dam across a river."
