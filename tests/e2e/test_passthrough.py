"""What only bytes can show: the same dialect passes untouched, another one is reported, headers go by a list.

All of it needs Weir; the fake is asked the same thing directly for comparison.
"""

import base64
import json
import time

import httpx
import pytest
import stack as stacks
from test_openai_errors import wait_gone

pytestmark = pytest.mark.weir

OPENAI_BODY = (
    b'{ "x_vendor" : {"b":1.0,"a":1e400,"n":-0, "u":"\\u00e9\\/", "i":12345678901234567890123},\n'
    b'"messages":[ {"content":"h\\u00e9 \xf0\x9f\x8c\x8a","role":"user"}],\t"model" : "MODEL" %s}\n'
)
ANTHROPIC_BODY = OPENAI_BODY.replace(b'"messages"', b'"max_tokens": 100 , "messages"')
EXCHANGES = [("oai", "/chat/completions", OPENAI_BODY), ("ant", "/v1/messages", ANTHROPIC_BODY)]
SECRETS = {
    "cookie": "session=client",
    "openai-organization": "org-client",
    "openai-project": "proj-client",
    "x-forwarded-for": "10.0.0.1",
    "x-secret-of-client": "1",
    "x-weir-tags": "team=a",
}


def base(stack, dialect):
    return stack.openai_url if dialect == "oai" else stack.anthropic_url


def headers_for(dialect, **more):
    auth = {"authorization": f"Bearer {stacks.CLIENT_KEY}"}
    if dialect == "ant":
        auth = {"x-api-key": "sk-ant-fake-client", "anthropic-version": "2023-06-01"}
    return {"content-type": "application/json", **auth, **more}


def post(stack, dialect, path, body, **headers):
    return httpx.post(
        base(stack, dialect) + path, content=body, headers=headers_for(dialect, **headers), timeout=30
    )


def post_to_fake(stack, dialect, path, body):
    url = stack.fake_openai_url if dialect == "oai" else stack.fake_anthropic_url
    return httpx.post(url + path, content=body, headers=headers_for(dialect), timeout=30)


@pytest.mark.parametrize("dialect, path, template", EXCHANGES)
@pytest.mark.parametrize("more", [b"", b', "stream": true'], ids=["whole", "streamed"])
def test_bytes_pass_untouched_within_a_dialect(stack, case, dialect, path, template, more):
    if more and dialect == "oai":
        more += b', "stream_options": {"include_usage" : true}'
    body = (template % more).replace(b"MODEL", case.model(dialect, "fake-text").encode())
    wanted = body.replace(f"{dialect}/".encode(), b"", 1)
    answer = post(stack, dialect, path, body)
    assert answer.status_code == 200, answer.text
    [record] = case.records()
    assert base64.b64decode(record["body"]) == wanted
    direct = post_to_fake(stack, dialect, path, wanted)
    assert answer.content == direct.content
    assert answer.headers["content-type"] == direct.headers["content-type"]


@pytest.mark.parametrize("dialect, path, template", EXCHANGES)
def test_the_clients_own_headers_stay_here(stack, case, dialect, path, template):
    body = (template % b"").replace(b"MODEL", case.model(dialect, "fake-text").encode())
    answer = post(stack, dialect, path, body, **SECRETS)
    assert answer.status_code == 200, answer.text
    sent = {name.lower(): value for name, value in case.records()[0]["headers"]}
    assert not set(SECRETS) & set(sent)
    assert "client" not in json.dumps(sent)
    if dialect == "oai":
        assert sent["authorization"] == f"Bearer {stacks.OPENAI_KEY}"
        assert "x-api-key" not in sent
    else:
        assert sent["x-api-key"] == stacks.ANTHROPIC_KEY
        assert "authorization" not in sent


@pytest.mark.parametrize("dialect, path, template", EXCHANGES)
def test_what_the_provider_says_about_its_customer_stays_here(stack, case, dialect, path, template):
    body = (template % b"").replace(b"MODEL", case.model(dialect, "fake-text").encode())
    answer = post(stack, dialect, path, body)
    leaked = [
        "set-cookie",
        "openai-organization",
        "anthropic-organization-id",
        "x-ratelimit-remaining-requests",
        "anthropic-ratelimit-requests-remaining",
    ]
    assert not set(leaked) & set(answer.headers)
    assert answer.headers["x-request-id"]
    assert answer.headers["x-weir-provider"] == f"fake-{dialect}"


def test_a_beta_header_reaches_the_same_dialect(stack, case):
    body = (ANTHROPIC_BODY % b"").replace(b"MODEL", case.model("ant", "fake-text").encode())
    post(stack, "ant", "/v1/messages", body, **{"anthropic-beta": "one-2026-01-01,two-2026-01-01"})
    sent = {name.lower(): value for name, value in case.records()[0]["headers"]}
    assert sent["anthropic-beta"] == "one-2026-01-01,two-2026-01-01"


LOSSY = {"messages": [{"role": "user", "content": "x"}], "logit_bias": {"50256": -100}, "seed": 7}


def test_what_the_other_dialect_can_not_say_is_reported(stack, case):
    body = json.dumps({**LOSSY, "model": case.model("ant", "fake-text")}).encode()
    answer = post(stack, "oai", "/chat/completions", body)
    assert answer.status_code == 200, answer.text
    report = answer.headers["x-weir-fidelity"]
    assert "logit_bias" in report and "seed" in report
    assert len(report) <= 1100
    assert not {"logit_bias", "seed"} & set(case.bodies()[0])


def test_strict_callers_are_refused_instead(stack, case):
    body = json.dumps({**LOSSY, "model": case.model("ant", "fake-text")}).encode()
    answer = post(stack, "oai", "/chat/completions", body, **{"x-weir-strict": "1"})
    assert answer.status_code == 400
    assert "logit_bias" in answer.text
    assert case.records() == []


def test_nothing_is_reported_where_nothing_is_lost(stack, case):
    body = json.dumps({**LOSSY, "model": case.model("oai", "fake-text")}).encode()
    answer = post(stack, "oai", "/chat/completions", body, **{"x-weir-strict": "1"})
    assert answer.status_code == 200
    assert "x-weir-fidelity" not in answer.headers


@pytest.mark.parametrize("dialect, target", [("oai", "oai"), ("oai", "ant"), ("ant", "ant"), ("ant", "oai")])
def test_streams_are_framed_for_proxies_and_browsers(stack, case, dialect, target):
    path = "/chat/completions" if dialect == "oai" else "/v1/messages"
    body = json.dumps(
        {
            "model": case.model(target, "fake-text"),
            "stream": True,
            "max_tokens": 50,
            "messages": [{"role": "user", "content": "x"}],
        }
    ).encode()
    answer = post(stack, dialect, path, body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers
    blocks = [block for block in answer.text.rstrip("\n").split("\n\n") if not block.startswith(":")]
    if dialect == "oai":
        assert blocks[-1] == "data: [DONE]"
        for block in blocks[:-1]:
            json.loads(block.removeprefix("data: "))
    else:
        for block in blocks:
            event, data = block.split("\n")
            assert event.removeprefix("event: ") == json.loads(data.removeprefix("data: "))["type"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_the_admin_side_answers(stack, path):
    answer = httpx.get(stack.weir.ready["admin_url"] + path, timeout=10)
    assert answer.status_code == 200
    if path == "/metrics":
        assert "gen_ai_" in answer.text and "weir_" in answer.text


def test_the_data_side_is_healthy_and_shows_no_metrics(stack):
    assert httpx.get(stack.weir.ready["url"] + "/healthz", timeout=10).status_code == 200
    assert httpx.get(stack.weir.ready["url"] + "/metrics", timeout=10).status_code == 404


def test_the_built_in_model_answers_with_nothing_configured(stack):
    body = {
        "model": "weir/extract",
        "messages": [
            {"role": "system", "content": "The weir was built in 1911. It is 40 metres wide."},
            {"role": "user", "content": "When was the weir built?"},
        ],
    }
    answer = httpx.post(
        f"{stack.openai_url}/chat/completions", json=body, headers=headers_for("oai"), timeout=30
    )
    assert answer.status_code == 200, answer.text
    assert "1911" in answer.json()["choices"][0]["message"]["content"]
    assert answer.json()["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("header, value", [("x-weir-timeout-ms", "400"), ("x-stainless-timeout", "0.4")])
def test_a_deadline_of_the_caller_is_kept(stack, case, header, value):
    body = {
        "model": case.model("oai", "fake-text", "stall-ms=8000"),
        "messages": [{"role": "user", "content": "x"}],
    }
    answer = post(stack, "oai", "/chat/completions", json.dumps(body).encode(), **{header: value})
    assert answer.status_code == 504, answer.text
    assert answer.elapsed.total_seconds() < 3
    assert answer.json()["error"]["message"]
    assert 200 < wait_gone(case) < 3000


def test_metadata_of_the_body_becomes_tags(stack, case):
    """Those of the head win; what is too long for a label is none."""
    body = {
        "model": case.model("ant", "fake-text"),
        "messages": [{"role": "user", "content": "hi"}],
        "metadata": {"tenant_id": "t1", "isolation_level": 3, "team": "body", "long": "x" * 600},
    }
    url = f"{stack.openai_url}/chat/completions"
    key = {"authorization": f"Bearer {stacks.CLIENT_KEY}", "x-weir-tags": "team=head"}
    assert httpx.post(url, json=body, headers=key, timeout=10).status_code == 200
    end, found = time.monotonic() + 10, []
    while not found and time.monotonic() < end:
        log = stack.weir.log_path.read_text(errors="replace").rpartition("\n")[0].splitlines()
        found = [json.loads(line) for line in log if case.id in line and '"operation"' in line]
    assert found[0]["tags"] == {"team": "head", "tenant_id": "t1", "isolation_level": "3"}
