"""The whole of /metrics, as a server shows it that has had traffic of every kind, is clean for promtool."""

import json
import os
import shutil
import subprocess

import httpx
import pytest
import stack as stacks

pytestmark = pytest.mark.weir

HELLO = [{"role": "user", "content": "Hello there, friend"}]
PROMTOOL = shutil.which("promtool", path=f"{stacks.ROOT}/build/tools/usr/bin:{os.environ['PATH']}")


PRICE = {"provider": "openai", "model": "fake-text", "aliases": ["fake-text~*"], "input": 1, "output": 2}
# Families that have nothing to show before some call gave it.
NEEDING_TRAFFIC = [
    "gen_ai_client_token_usage",
    "gen_ai_client_inference_duration_seconds",
    "weir_cost_usd_total",
    "weir_fallbacks_total",
    "weir_fetches_total",
    "weir_translation_lossy_total",
    "weir_usage_total",
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack of this file's own in place of the session's, with what adds to the metrics switched on."""
    prices = tmp_path_factory.mktemp("catalog") / "prices.yaml"
    prices.write_text(json.dumps({"models": [PRICE | {"source": "built in", "as_of": None}]}))
    telemetry = {"gen_ai_latest": True, "otlp_endpoint": "http://127.0.0.1:1/v1/traces"}
    running = stacks.Stack(direct=False, telemetry=telemetry, catalog={"prices": [str(prices)]})
    yield running
    code = running.stop()
    assert code == 0, f"weir ended with {code}:\n{running.weir.log_tail()}"


def ask(http, path, status, **body):
    answer = http.post(path, json=body)
    assert answer.status_code == status, answer.text


def send_traffic(case, http):
    """Calls of many kinds: speaking, whole, streamed, translated, failing, falling back, fetching."""
    chat, talk = "/v1/chat/completions", {"messages": HELLO, "max_tokens": 100}
    ask(http, "/v1/audio/speech", 200, model=case.model("oai", "fake-opaque"), voice="alloy", input="A weir.")
    for upstream in ("oai", "ant"):
        model = case.model(upstream, "fake-text")
        for stream in (False, True):
            ask(http, chat, 200, model=model, stream=stream, **talk)
            ask(http, "/v1/messages", 200, model=model, stream=stream, **talk)
        ask(http, chat, 502, model=case.model(upstream, "fake-text", "status=500"), **talk)
    ask(http, chat, 404, model="no-such-model", **talk)
    ask(http, chat, 200, model=f"fake-dead-then-ant/fake-text~{case.id}", logit_bias={"1": 1}, **talk)
    picture = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/a.png"}}
    inside = [{"role": "user", "content": [picture]}]
    ask(http, chat, 400, model=case.dotted("gem", "fake-vision"), messages=inside)
    ask(http, "/v1/embeddings", 200, model=case.model("oai", "fake-embed"), input=["one", "two"])


@pytest.mark.skipif(not PROMTOOL, reason="there is no promtool: tools/install.sh test")
def test_promtool_finds_nothing_in_the_metrics_of_a_server_at_work(stack, case, http):
    send_traffic(case, http)
    text = httpx.get(stack.weir.ready["admin_url"] + "/metrics", timeout=10).text
    missing = [name for name in NEEDING_TRAFFIC if f"# TYPE {name} " not in text]
    assert not missing
    line = [PROMTOOL, "check", "metrics"]
    done = subprocess.run(line, input=text, capture_output=True, text=True, timeout=60)
    found = done.stdout + done.stderr
    assert done.returncode == 0 and not found, found
