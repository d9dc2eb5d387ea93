"""GET /v1/capabilities and `weir dialects`: what a target carries of what each dialect's clients can say."""

import json
import os
import subprocess

import pytest
import stack as stacks

pytestmark = pytest.mark.weir


def capabilities(http, query=""):
    answer = http.get(f"/v1/capabilities{query}")
    return answer.status_code, answer.json()


def test_a_model_says_what_its_targets_carry(http, case):
    status, body = capabilities(http, f"?model={case.model('ant', 'fake-chat')}")
    assert status == 200
    (target,) = body["data"]
    assert target["dialect"] == "anthropic_messages"
    from_openai = target["from"]["openai_chat"]
    assert from_openai["tools"] == {"support": "carried"}
    assert from_openai["seed"]["support"] == "dropped" and "/seed" in from_openai["seed"]["how"]
    assert target["from"]["anthropic_messages"]["seed"]["support"] == "unsaid"


def test_without_a_model_every_provider_is_listed(http):
    status, body = capabilities(http)
    assert status == 200
    assert {target["dialect"] for target in body["data"]} >= {"openai_chat", "anthropic_messages"}
    assert all(target["model"] is None for target in body["data"])


def test_a_wrong_parameter_and_an_unknown_model_are_told(http):
    status, body = capabilities(http, "?modle=x")
    assert status == 400 and "model" in body["error"]["message"]
    status, body = capabilities(http, "?model=no-such-model")
    assert status == 404 and body["error"]["code"] == "model_not_found"


def test_the_command_prints_the_same_as_a_table(stack, case):
    url = stack.openai_url.removesuffix("/v1")
    command = [stacks.weir_binary(), "dialects", "--url", url, case.model("ant", "fake-chat")]
    env = {**os.environ, "WEIR_API_KEY": stacks.CLIENT_KEY}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert rows["tools"][0] == "carried" and rows["seed"][0] == "dropped"
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, env=env)
    assert json.loads(told.stdout)["object"] == "list"
