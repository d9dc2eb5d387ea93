"""The checks of schemas can fail: a good message with one thing wrong is never taken for good.

Everywhere in each message a member too many is tried, a value of another type, and no such constant.
"""

import copy
import json

import bodies
import pytest
from fake import (
    answers,
    anthropic_checks,
    anthropic_dialect,
    bedrock_checks,
    bedrock_dialect,
    faults,
    frames,
    gemini_checks,
    gemini_dialect,
    openai_checks,
    openai_dialect,
    openai_document,
    responses_checks,
    responses_dialect,
    script,
    smithy,
)

DOCUMENT = openai_document.Document()
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
# What a caller fills as he likes.
FREE = {
    "additionalModelRequestFields",
    "args",
    "input",
    "input_schema",
    "inputSchema",
    "json",
    "labels",
    "metadata",
    "parameters",
    "parametersJsonSchema",
    "requestMetadata",
    "response",
    "responseJsonSchema",
    "schema",
}
CONSTANTS = {"object", "role", "type", "status", "finish_reason", "stop_reason", "stopReason", "finishReason"}


def said(model):
    turns = [script.Turn("user", ["Hello there"])]
    made = script.answer(model, script.Conversation([], turns, {"get_weather": CITY}, thinking=True, logprobs=2))
    made.tag = "abc"
    return made


def sse(lines):
    return [json.loads(line.split(b"data: ")[1]) for line in lines if b"[DONE]" not in line]


def chat(model):
    counted = {"stream_options": {"include_usage": True}}
    events = openai_dialect.chunks(said(model), model, counted, faults.Faults())
    return openai_dialect.completion(said(model), model), sse(events)


def responses(model):
    body = {"reasoning": {"summary": "auto"}, "include": [responses_dialect.ENCRYPTED, responses_dialect.LOGPROBS]}
    events = responses_dialect.events(said(model), model, body, faults.Faults())
    return responses_dialect.response(said(model), model, body), sse(events)


def anthropic(model):
    events = sse(anthropic_dialect.events(said(model), model, faults.Faults()))
    return anthropic_dialect.message(said(model), model), events


def converse(model):
    events = [{kind: value} for kind, value in bedrock_dialect.converse_values(said(model), faults.Faults())]
    return bedrock_dialect.converse(said(model)), events


def invoke(model):
    found = bedrock_dialect.invoke_events(said(model), model, faults.Faults())
    payloads = [json.loads(frames.parts(frame)[1])["bytes"] for frame in found]
    return anthropic(model)[0], [json.loads(frames.raw_of_base64(text)) for text in payloads]


def gemini(model):
    events = gemini_dialect.events(said(model), model, {}, faults.Faults(), True)
    return gemini_dialect.response(said(model), model, {}, True), sse(events)


MADE = {"oai": chat, "rsp": responses, "ant": anthropic, "cnv": converse, "inv": invoke, "gem": gemini}


def request_problems(dialect, body):
    """What the fake provider has against a request."""
    if dialect == "oai":
        return openai_checks.check(DOCUMENT, "/v1/chat/completions", body)
    if dialect == "rsp":
        return responses_checks.check(DOCUMENT, body)
    if dialect == "ant":
        return anthropic_checks.check("2023-06-01", body)
    check = {"cnv": bedrock_checks.converse, "inv": bedrock_checks.invoke}.get(dialect)
    return check(body) if check else gemini_checks.generate(body, False)


def distinct(items):
    """(index, item) of the first of each form in a list."""
    found = {}
    for index, item in enumerate(items):
        found.setdefault(str((sorted(item), item.get("type")) if isinstance(item, dict) else type(item)), (index, item))
    return found.values()


def walk(value, path=()):
    """(path, item) of everything in a value, but for what a caller fills as he likes."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else distinct(value) if isinstance(value, list) else ()
    for key, item in inner:
        is_free = key in FREE and isinstance(item, dict) and not (key == "input" and {"text"} & set(item))
        if not is_free:
            yield from walk(item, (*path, key))


def changed(value, path, make):
    """The value with what `make` gives in place of the item at `path`."""
    if not path:
        return make(value)
    made = copy.copy(value)
    made[path[0]] = changed(value[path[0]], path[1:], make)
    return made


def broken(value):
    """(what was done, the value with it) for every way to break it."""
    for path, item in walk(value):
        where = "/".join(map(str, path))
        if isinstance(item, dict):
            yield f"{where}: one more", changed(value, path, lambda found: {**found, "surprise": 1})
        elif isinstance(item, str):
            yield f"{where}: a number", changed(value, path, lambda found: 7)
            if path[-1] in CONSTANTS:
                yield f"{where}: no such constant", changed(value, path, lambda found: "bogus")
        elif isinstance(item, (bool, int, float)):
            yield f"{where}: a text", changed(value, path, lambda found: "many")
        elif isinstance(item, list):
            yield f"{where}: a text for a list", changed(value, path, lambda found: 7)


def unnoticed(value, problems_of):
    assert problems_of(value) == [], "the message is good as it is"
    return [what for what, made in broken(value) if not problems_of(made)]


MODELS = ["fake-agent", "fake-text", "fake-text-tools", "fake-usage-cached"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dialect", MADE)
def test_a_broken_answer_is_never_good(dialect, model):
    whole, _ = MADE[dialect](model)
    assert unnoticed(whole, lambda value: answers.problems(DOCUMENT, dialect, value)) == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dialect", MADE)
def test_a_broken_event_is_never_good(dialect, model):
    _, events = MADE[dialect](model)
    kinds = {}
    for event in events:
        kinds.setdefault(event.get("type") or str([path for path, _ in walk(event)]), event)
    kinds.pop("response.in_progress", None)  # as the one before it
    for event in kinds.values():
        assert unnoticed(event, lambda value: answers.problems(DOCUMENT, dialect, value, is_event=True)) == [], event


@pytest.mark.parametrize("name", bodies.CASES)
@pytest.mark.parametrize("dialect", MADE)
def test_a_broken_request_is_never_good(dialect, name):
    if dialect not in bodies.CASES[name].only:
        pytest.skip("this dialect cannot say it")
    _, _, body = bodies.request(dialect, "m", bodies.CASES[name], False)
    assert unnoticed(body, lambda value: request_problems(dialect, value)) == []


# (dialect, what an answer may not lack)
NEEDED = [
    ("oai", ("choices", 0, "message", "role")),
    ("oai", ("choices", 0, "finish_reason")),
    ("rsp", ("output", 0, "type")),
    ("rsp", ("parallel_tool_calls",)),
    ("ant", ("usage", "output_tokens")),
    ("ant", ("content", 0, "type")),
    ("cnv", ("stopReason",)),
    ("cnv", ("usage", "totalTokens")),
]


@pytest.mark.parametrize("dialect, path", NEEDED)
def test_an_answer_that_lacks_something_is_not_good(dialect, path):
    whole, _ = MADE[dialect]("fake-text")

    def without_last(found):
        return {key: item for key, item in found.items() if key != path[-1]}

    assert answers.problems(DOCUMENT, dialect, changed(whole, path[:-1], without_last))


@pytest.mark.parametrize(
    "dialect, value, headers",
    [
        ("oai", {"error": {"message": "x"}}, {}),
        ("rsp", {"error": "x"}, {}),
        ("ant", {"type": "error", "error": {"type": "bogus_error", "message": "x"}}, {}),
        ("ant", {"error": {"type": "api_error", "message": "x"}}, {}),
        ("gem", {"error": {"code": 400, "message": "x", "status": "BAD"}}, {}),
        ("gem", {"error": {"code": "400", "message": "x", "status": "INTERNAL"}}, {}),
        ("gem", {"error": {"code": 400, "message": "x", "status": "INTERNAL", "details": [{"a": 1}]}}, {}),
        ("cnv", {"message": "x"}, {"x-amzn-errortype": "ServiceQuotaExceededException"}),
        ("inv", {"message": 7}, {"x-amzn-errortype": "ValidationException:http://x/"}),
        ("inv", {"message": "x", "type": "y"}, {"x-amzn-errortype": "ValidationException"}),
    ],
    ids=str,
)
def test_a_broken_error_is_not_good(dialect, value, headers):
    if dialect in ("oai", "rsp") and not DOCUMENT.available:
        pytest.skip("no type of OpenAI's SDK says what an error is, and its document is not there")
    operation = {"cnv": "Converse", "inv": "InvokeModel"}.get(dialect)
    assert answers.error_problems(DOCUMENT, dialect, value, headers, operation)


def test_a_frame_that_is_cut_off_or_altered_is_not_good():
    whole = frames.event("chunk", {"a": 1}) + frames.event("chunk", {"b": 2})
    assert len(list(answers.frames_of(whole))) == 2
    for bad in (whole[:-1], whole[:-3] + b"abc", whole + b"\0" * 3):
        with pytest.raises(ValueError):
            list(answers.frames_of(bad))


def test_the_models_of_bedrock_are_there():
    """The newer of the two comes with the tests, so that without the other one most is still checked."""
    assert "ValidationException" in smithy.errors()["Converse"]
    assert smithy.shapes()["ConverseRequest"].required == set()
