"""Every request that Weir sends and every answer and event that it writes obey the vendors' own schemas.

Each client dialect over each upstream dialect, whole and streamed, in bytes: no SDK stands between, since SDKs
accept nearly anything. answers.py says what is held against what; the fake provider checks likewise what it is
sent. Without the documents beside the project the SDKs' types are checked alone, and a skipped test says so.
"""

import functools
import json
from dataclasses import dataclass

import bodies
import httpx
import pytest
import stack as stacks
from bodies import CASES, Ask
from fake import answers, frames, openai_document, smithy

DIALECTS = list(stacks.UPSTREAMS)
# Bedrock's names of its operations, (whole, streamed).
OPERATIONS = {"cnv": ("Converse", "ConverseStream"), "inv": ("InvokeModel", "InvokeModelWithResponseStream")}
FAULTS = ["status=400", "status=429;retry-after=90", "status=500", "context-length", "quota", "html=502"]
STREAM_FAULTS = ["error-event-after=5", "cut-after-events=5"]


def pairs_of(config):
    direct = config.getoption("--direct")
    return [(client, up) for client in DIALECTS for up in DIALECTS if not direct or client == up]


def pytest_generate_tests(metafunc):
    if "pair" in metafunc.fixturenames:
        found = pairs_of(metafunc.config)
        metafunc.parametrize("pair", found, ids=lambda pair: f"{pair[0]}-over-{pair[1]}")


@functools.cache
def document():
    return openai_document.Document()


@pytest.mark.parametrize("name", ["OpenAI's OpenAPI document", "Bedrock's Smithy model"])
def test_the_documents_are_held_too(name):
    """Without them this is skipped, and the SDKs' types are all that the tests below hold."""
    if not (document().available if name.startswith("OpenAI") else smithy.documents()[0]):
        pytest.skip(f"{name} is not beside the project (WEIR_SHARED_DIR): only the SDK's types are checked")


@pytest.fixture(scope="module")
def client():
    with httpx.Client(timeout=30) as made:
        yield made


@dataclass
class Got:
    """An answer in bytes. `is_broken`: the connection ended before the answer did."""

    status: int
    headers: dict
    content: bytes = b""
    is_broken: bool = False

    def json(self):
        return json.loads(self.content)


def keys_of(stack, dialect):
    if not stack.direct:
        return {"authorization": f"Bearer {stacks.CLIENT_KEY}"}
    own = {"ant": stacks.ANTHROPIC_KEY, "gem": stacks.GEMINI_KEY, "cnv": stacks.BEDROCK_KEY, "inv": stacks.BEDROCK_KEY}
    return {"authorization": f"Bearer {own.get(dialect, stacks.OPENAI_KEY)}"}


def post(client, stack, dialect, asked):
    path, headers, body = asked
    bases = {"ant": stack.anthropic_url, "gem": stack.gemini_url, "cnv": stack.bedrock_url, "inv": stack.bedrock_url}
    url = bases.get(dialect, stack.openai_url.removesuffix("/v1")) + path
    with client.stream("POST", url, json=body, headers={**keys_of(stack, dialect), **headers}) as answer:
        got = Got(answer.status_code, answer.headers)
        try:
            for piece in answer.iter_bytes():
                got.content += piece
        except httpx.RemoteProtocolError:
            got.is_broken = True
    return got


def sse_events(text):
    """The JSON of each event; the name of an event, where there is one, is its type."""
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = block.split("\n")
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        assert all(line.startswith(("data: ", "event: ", ":")) or not line for line in lines), block
        if data and data != ["[DONE]"]:
            value = json.loads("\n".join(data))
            names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
            assert not names or names == [value["type"]], block
            yield value


def aws_events(data, dialect):
    """The events of an event stream, {type: value} each, those of InvokeModel taken out of their chunks."""
    for headers, payload in answers.frames_of(data):
        value = json.loads(payload)
        if headers[":message-type"] == "exception":
            yield {headers[":exception-type"]: value}
            continue
        assert headers[":message-type"] == "event" and headers[":content-type"] == "application/json"
        value.pop("p", None)  # AWS's padding, in no model
        event = {headers[":event-type"]: value}
        if dialect == "inv":
            assert smithy.problems("ResponseStream", event) == []
            event = json.loads(frames.raw_of_base64(event["chunk"]["bytes"]))
        yield event


def events_of(answer, dialect):
    kind = answer.headers["content-type"]
    if dialect in ("cnv", "inv"):
        assert kind == "application/vnd.amazon.eventstream"
        return list(aws_events(answer.content, dialect))
    assert kind.startswith("text/event-stream"), kind
    return list(sse_events(answer.content.decode()))


def shown(problems, value):
    return [f"{problem}   in {json.dumps(value, ensure_ascii=False)[:600]}" for problem in problems]


def problems_of(answer, dialect, stream):
    """What is wrong with a good answer, whole or streamed."""
    if answer.status != 200 or answer.is_broken:
        return [f"{answer.status} {answer.content[:500]}, broken off: {answer.is_broken}"]
    if not stream:
        value = answer.json()
        return shown(answers.problems(document(), dialect, value), value)
    found, seen = [], events_of(answer, dialect)
    if answer.content.count(b"data: [DONE]") != (dialect == "oai"):
        found.append("only chat completions end with [DONE], and once")
    for event in seen:
        found += shown(answers.problems(document(), dialect, event, is_event=True), event)
    return found if seen else ["no event"]


@pytest.mark.parametrize("name", CASES)
def test_requests_and_answers_obey_the_vendors_schemas(stack, case, client, pair, name):
    """The fixture `case` fails for a request that the fake had to refuse."""
    dialect, upstream = pair
    ask = CASES[name]
    if dialect not in ask.only or not stack.direct and upstream not in ask.over:
        pytest.skip("this pair of dialects cannot say it")
    model = case.dotted(upstream, ask.model)
    found = []
    for stream in (False, True):
        answer = post(client, stack, dialect, bodies.request(dialect, model, ask, stream))
        found += problems_of(answer, dialect, stream)
    assert not found, "\n".join(found)
    assert len(case.records()) == 2


@pytest.mark.weir
@pytest.mark.parametrize("name", ["text", "tool results", "thinking and tools", "structured output"])
@pytest.mark.parametrize("upstream", DIALECTS)
def test_the_newer_version_of_anthropics_api_obeys_its_types(stack, case, client, upstream, name):
    ask = CASES[name]
    for stream in (False, True):
        path, _, body = bodies.request("ant", case.dotted(upstream, ask.model), ask, stream)
        answer = post(client, stack, "ant", (path, {"anthropic-version": "2026-10-21"}, body))
        found = problems_of(answer, "ant", stream)
        assert not found, "\n".join(found)


@pytest.mark.weir
@pytest.mark.parametrize("upstream", DIALECTS)
def test_a_stored_response_obeys_openais_schema(stack, case, client, upstream):
    ask = CASES["thinking and tools"]
    path, headers, body = bodies.request("rsp", case.dotted(upstream, ask.model), ask, False)
    made = post(client, stack, "rsp", (path, headers, {**body, "store": True}))
    assert problems_of(made, "rsp", False) == []
    key = keys_of(stack, "rsp")
    got = client.get(f"{stack.openai_url}/responses/{made.json()['id']}", headers=key)
    assert got.status_code == 200 and answers.problems(document(), "rsp", got.json()) == []
    gone = client.delete(f"{stack.openai_url}/responses/{made.json()['id']}", headers=key)
    assert gone.status_code == 200 and client.get(str(got.url), headers=key).status_code == 404


def error_of(answer, dialect, stream):
    value = answer.json()
    operation = OPERATIONS.get(dialect, (None, None))[stream]
    found = answers.error_problems(document(), dialect, value, answer.headers, operation)
    return shown(found, value)


def failure_of(answer, dialect):
    """What is wrong with a stream that ends with a failure."""
    events = events_of(answer, dialect)
    kinds = [answers.is_failure(dialect, event) for event in events]
    good, bad = events[: kinds.index(True)] if True in kinds else events, events[-1]
    found = [problem for event in good for problem in shown(answers.problems(document(), dialect, event, True), event)]
    for event in events[len(good) :]:
        found += shown(answers.failure_problems(document(), dialect, event), event)
    return found if kinds[-1] else [*found, f"no failure, but {bad}"]


@pytest.mark.parametrize("fault", FAULTS)
def test_errors_obey_the_vendors_schemas(stack, case, client, pair, fault):
    dialect, upstream = pair
    if stack.direct and fault.startswith("html"):
        pytest.skip("what a proxy says has no schema")
    lane = DIALECTS.index(dialect) + len(DIALECTS) * FAULTS.index(fault)
    model = case.in_lane(upstream, "fake-text", fault, stacks.SCHEMA_LANES[lane])
    # A second request would wait for the key to be good again, as Bedrock's quota comes without a time.
    for stream in (False,) if fault == "quota" else (False, True):
        answer = post(client, stack, dialect, bodies.request(dialect, model, Ask(), stream))
        assert answer.status >= 400 or stream
        found = error_of(answer, dialect, stream) if answer.status >= 400 else failure_of(answer, dialect)
        assert not found, "\n".join(found)


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_failure_in_a_stream_obeys_the_vendors_schemas(stack, case, client, pair, fault):
    dialect, upstream = pair
    if stack.direct and fault.startswith("cut"):
        pytest.skip("the provider itself tells nothing of a cut")
    lane = DIALECTS.index(dialect) + len(DIALECTS) * (len(FAULTS) + STREAM_FAULTS.index(fault))
    words = " ".join(f"word{number}" for number in range(20))
    model = case.in_lane(upstream, "fake-text", fault, stacks.SCHEMA_LANES[lane])
    answer = post(client, stack, dialect, bodies.request(dialect, model, Ask(text=words), True))
    found = failure_of(answer, dialect)
    assert not found, "\n".join(found)


@pytest.mark.weir
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_weir_itself_refuses_obeys_the_vendors_schemas(stack, case, client, dialect):
    path, headers, body = bodies.request(dialect, case.dotted("oai", "fake-text"), Ask(), False)
    bad = {"contents": 7} if dialect == "gem" else {"messages": 7, "input": 7.5}
    unknown = bodies.request(dialect, "nowhere.no-such-model", Ask(), False)
    for asked, status in (((path, headers, {**body, **bad}), 400), (unknown, 404)):
        answer = post(client, stack, dialect, asked)
        assert answer.status == status
        assert error_of(answer, dialect, False) == []


COUNTS = {
    "rsp": ("input tokens", lambda model, body: ("/v1/responses/input_tokens", body)),
    "ant": ("ant count", lambda model, body: ("/v1/messages/count_tokens", body)),
    "cnv": ("aws count", lambda model, body: (f"/model/{model}/count-tokens", {"input": {"converse": body}})),
    "inv": (
        "aws count",
        lambda model, body: (
            f"/model/{model}/count-tokens",
            {"input": {"invokeModel": {"body": frames.base64_text(json.dumps(body).encode())}}},
        ),
    ),
    "gem": (
        "gem count",
        lambda model, body: (
            f"/v1beta/models/{model}:countTokens",
            {"generateContentRequest": {"model": f"models/{model}", **body}},
        ),
    ),
}
UNCOUNTED = {"max_output_tokens", "max_tokens", "store", "include", "inferenceConfig"}


@pytest.mark.parametrize("name", ["text", "tool results", "image", "document"])
def test_counts_obey_the_vendors_schemas(stack, case, client, pair, name):
    dialect, upstream = pair
    if dialect not in COUNTS:
        pytest.skip("this dialect counts no tokens")
    model = case.dotted(upstream, CASES[name].model)
    _, headers, body = bodies.request(dialect, model, CASES[name], False)
    kind, ask = COUNTS[dialect]
    kept = body if dialect == "inv" else {key: item for key, item in body.items() if key not in UNCOUNTED}
    path, wrapped = ask(model, kept)
    answer = post(client, stack, dialect, (path, headers, wrapped))
    assert answer.status == 200, answer.content
    found = shown(answers.problems(document(), kind, answer.json()), answer.json())
    assert not found, "\n".join(found)


EMBEDDERS = {
    "oai": lambda case: case.dotted("oai", "fake-embed"),
    "gem": lambda case: case.dotted("gem", "fake-embed"),
    "titan": lambda case: f"embed.amazon.titan-embed-text-v2:0~{case.id}",
    "cohere": lambda case: f"embed.cohere.embed-english-v3~{case.id}",
}


@pytest.mark.weir
@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("kind", EMBEDDERS)
def test_openais_embeddings_obey_its_schema(stack, case, client, kind, encoding):
    body = {"model": EMBEDDERS[kind](case), "input": ["one", "two"], "encoding_format": encoding}
    answer = post(client, stack, "oai", ("/v1/embeddings", {}, body))
    assert answer.status == 200, answer.content
    value = answer.json()
    if encoding == "base64":  # which neither the document nor the type knows; both have the vector's numbers
        for one in value["data"]:
            one["embedding"] = list(frames.raw_of_base64(one["embedding"]))
    assert answers.problems(document(), "embeddings", value) == []


@pytest.mark.weir
@pytest.mark.parametrize("kind", EMBEDDERS)
def test_googles_embeddings_obey_its_types(stack, case, client, kind):
    model = EMBEDDERS[kind](case)
    asked = {"model": f"models/{model}", "content": {"parts": [{"text": "one"}]}}
    one = post(client, stack, "gem", (f"/v1beta/models/{model}:embedContent", {}, asked)).json()
    many = post(client, stack, "gem", (f"/v1beta/models/{model}:batchEmbedContents", {}, {"requests": [asked] * 2})).json()
    for value in (one, many):  # Google's reference knows its EmbeddingUsageMetadata, the SDK does not
        assert all(isinstance(count, int) for count in value.pop("usageMetadata", {}).values())
    assert set(one) == {"embedding"} and set(many) == {"embeddings"} and len(many["embeddings"]) == 2
    for vector in (one["embedding"], *many["embeddings"]):
        assert answers.problems(document(), "gem embedding", vector) == []


@pytest.mark.weir
@pytest.mark.parametrize("target", ["oai", "ant"])
def test_a_legacy_completion_obeys_openais_document(stack, case, client, target):
    body = {"model": case.dotted(target, "fake-text"), "prompt": "Hello there", "max_tokens": 50}
    whole = post(client, stack, "oai", ("/v1/completions", {}, body))
    assert problems_of(whole, "text", False) == []
    streamed = post(client, stack, "oai", ("/v1/completions", {}, {**body, "stream": True}))
    for event in sse_events(streamed.content.decode()):
        assert answers.problems(document(), "text", event, is_event=True) == [], event


@pytest.mark.weir
def test_lists_of_models_obey_the_vendors_schemas(stack, client):
    url = stack.weir.ready["url"]
    models = client.get(f"{url}/v1/models").json()
    assert answers.problems(document(), "models", models) == []
    version = {"anthropic-version": "2026-10-21"}
    page = client.get(f"{url}/v1/models", headers=version).json()
    for model in page["data"]:
        assert answers.problems(document(), "ant model", model) == [], model
