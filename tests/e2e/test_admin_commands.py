"""`weir status` and `weir reload` against a running server."""

import json
import subprocess

import httpx
import pytest
import stack as stacks

pytestmark = pytest.mark.weir


def run(stack, command, *more):
    admin_url = stack.weir.ready["admin_url"]
    line = [stacks.weir_binary(), command, "--admin-url", admin_url, *more]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


def test_status_tells_of_the_targets_that_were_asked(stack, case):
    model = case.model("oai", "fake-text")
    url = stack.openai_url + "/chat/completions"
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    key = {"authorization": f"Bearer {stacks.CLIENT_KEY}"}
    assert httpx.post(url, json=body, headers=key, timeout=10).status_code == 200
    done = run(stack, "status")
    assert done.returncode == 0, done.stderr
    target = [line for line in done.stdout.splitlines() if "fake-text" in line]
    assert target and " closed " in target[0]
    told = json.loads(run(stack, "status", "--json").stdout)
    assert told["generation"] >= 1 and any("fake-text" in target["name"] for target in told["targets"])


def test_reload_tells_the_generation_that_is_in_force(stack):
    before = json.loads(run(stack, "status", "--json").stdout)["generation"]
    done = run(stack, "reload")
    assert done.returncode == 0, done.stderr
    assert "is in force" in done.stdout
    after = json.loads(run(stack, "status", "--json").stdout)["generation"]
    assert after == before + 1


def test_who_cannot_reach_the_server_is_told():
    line = [stacks.weir_binary(), "status", "--admin-url", "http://127.0.0.1:1"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "is a server running at http://127.0.0.1:1?" in done.stderr
    assert "the server could not be reached" in done.stderr


@pytest.mark.parametrize("command", ["status", "reload", "models", "dialects", "chat hello", "bench --body /no/such"])
def test_programs_are_told_of_errors_as_json(command):
    name, *more = command.split()
    option = "--admin-url" if name in ("status", "reload") else "--url"
    line = [stacks.weir_binary(), name, *more, "--json", option, "http://127.0.0.1:1"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr == "", done.stderr
    assert json.loads(done.stdout)["error"]["message"]


def test_an_answer_comes_before_what_is_said_of_it(stack, case):
    line = [stacks.weir_binary(), "chat", "--url", stack.weir.ready["url"]]
    line += ["--model", case.model("oai", "fake-text"), "hello"]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "Echo: hello" and " tokens in, " in lines[1], done.stdout
