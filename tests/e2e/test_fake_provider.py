"""The fake provider itself: its answers obey the vendors' schemas, and it refuses what they refuse."""

import json

import httpx
import media
import pytest
from fake import (
    answers,
    anthropic_checks,
    anthropic_dialect,
    faults,
    openai_checks,
    openai_dialect,
    openai_document,
    script,
)

TOOLS = {"get_weather": {"type": "object", "properties": {"city": {"type": "string"}}}}
CHAT_MODELS = [name for name in script.MODELS if name != "fake-embed"]


@pytest.fixture(scope="module")
def document():
    made = openai_document.Document()
    if not made.available:
        pytest.skip("OpenAI's OpenAPI document is not beside the project (WEIR_SHARED_DIR)")
    return made


def conversation(**more):
    return script.Conversation(system=[], turns=[script.Turn("user", ["Hello there"])], tools=TOOLS, **more)


@pytest.mark.parametrize("model", CHAT_MODELS)
def test_its_openai_answers_obey_openais_document(document, model):
    answer = script.answer(model, conversation(thinking=True))
    whole = openai_dialect.completion(answer, model)
    assert answers.problems(document, "oai", whole) == []
    body = {"stream_options": {"include_usage": True}}
    for line in openai_dialect.chunks(answer, model, body, faults.Faults())[:-1]:
        value = json.loads(line.removeprefix(b"data: "))
        assert answers.problems(document, "oai", value, is_event=True) == []


def test_its_other_openai_answers_obey_openais_document(document):
    answer = script.answer("fake-text", conversation())
    assert answers.problems(document, "text", openai_dialect.text_completion([answer], "m")) == []
    embeddings = openai_dialect.embeddings({"input": ["a"]}, "m")
    assert answers.problems(document, "embeddings", embeddings) == []
    assert answers.problems(document, "models", openai_dialect.models()) == []
    assert answers.error_problems(document, "oai", openai_dialect.error(429, "x"), {}) == []


@pytest.mark.parametrize("model", CHAT_MODELS)
def test_its_anthropic_answers_can_be_sent_back(model):
    """What it says as an assistant it accepts in a history."""
    if model in (
        "fake-tools",
        "fake-text-tools",
        "fake-parallel-tools",
        "fake-interleaved-tools",
        "fake-empty-args",
    ):
        return
    blocks = anthropic_dialect.content(script.answer(model, conversation(thinking=False, tool_choice="none")))
    body = {
        "model": "m",
        "max_tokens": 5,
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": "y"},
        ],
    }
    assert anthropic_checks.check("2023-06-01", body) == []


CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
USER = {"role": "user", "content": "x"}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"surprise": 1}, "surprise"),
        ({"temperature": 1.5}, "temperature"),
        ({"messages": []}, "messages"),
        ({"stop_sequences": [" "]}, "stop"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role"),
        ({"messages": [assistant()]}, "first message"),
        ({"messages": [user({"type": "text", "text": ""})]}, "non-empty"),
        ({"messages": [USER, assistant(CALL)]}, "without tool_result"),
        ({"messages": [USER, assistant(CALL), USER]}, "tool_result ids"),
        ({"messages": [USER, assistant(CALL), user({"type": "text", "text": "y"}, RESULT)]}, "come first"),
        ({"messages": [user(RESULT)]}, "tool_result ids"),
        ({"messages": [USER, assistant({**CALL, "input": "{}"}), user(RESULT)]}, "input"),
        (
            {
                "messages": [
                    user(
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
                        }
                    )
                ]
            },
            "declared",
        ),
        ({"tool_choice": {"type": "auto"}}, "with tools"),
        ({"tools": [{"name": "a.b", "input_schema": {}}]}, "pattern"),
        ({"thinking": {"type": "enabled", "budget_tokens": 100}}, "budget"),
        ({"system": [{"type": "text", "text": "a", "cache_control": {"type": "forever"}}]}, "ephemeral"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "schema"),
    ],
    ids=str,
)
def test_a_bad_anthropic_body_is_refused(changes, problem):
    body = {"model": "m", "max_tokens": 5, "messages": [USER], **changes}
    body = {name: value for name, value in body.items() if value is not None}
    assert problem in " ".join(anthropic_checks.check("2023-06-01", body))


def test_the_versions_of_anthropics_api_differ():
    body = {"model": "m", "max_tokens": 5, "messages": [USER], "temperature": 0.5}
    assert anthropic_checks.check("2023-06-01", body) == []
    assert anthropic_checks.check("2026-10-21", body) == ["temperature: Extra inputs are not permitted"]
    assert "not a valid version" in anthropic_checks.check(None, body)[0]


SAID = {"role": "assistant", "content": "a"}
ASSISTANT = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"surprise": 1}, "surprise"),
        ({"messages": []}, "messages"),
        ({"temperature": "hot"}, "temperature"),
        ({"messages": [USER, ASSISTANT]}, "not answered"),
        ({"messages": [USER, ASSISTANT, USER]}, "not answered"),
        ({"messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "x"}]}, "answers no call"),
        ({"messages": [USER, {**SAID, "reasoning_content": "hm"}]}, "reasoning_content"),
        ({"messages": [USER, {**SAID, "thinking_blocks": []}]}, "thinking_blocks"),
        ({"tools": [{"name": "f"}]}, "tools"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ],
    ids=str,
)
def test_a_bad_openai_body_is_refused(document, changes, problem):
    body = {"model": "m", "messages": [USER], **changes}
    assert problem in " ".join(openai_checks.check(document, "/v1/chat/completions", body))


def test_good_openai_bodies_pass(document):
    data, _ = media.base64_png(2, 2)
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    body = {
        "model": "m",
        "x_vendor": {"a": 1},
        "max_completion_tokens": 5,
        "reasoning_effort": "low",
        "messages": [
            {"role": "user", "content": [picture]},
            ASSISTANT,
            {"role": "tool", "tool_call_id": "c1", "content": "x"},
        ],
    }
    assert openai_checks.check(document, "/v1/chat/completions", body) == []
    told = {"model": "m", "messages": [USER, {**SAID, "reasoning_content": "hm"}, USER]}
    assert openai_checks.check(document, "/v1/chat/completions", told, takes_reasoning=True) == []


def test_a_key_that_it_does_not_know_is_refused(stack):
    for url, headers in [
        (f"{stack.fake_openai_url}/models", {"authorization": "Bearer other"}),
        (f"{stack.fake_anthropic_url}/v1/models", {"x-api-key": "other"}),
    ]:
        assert httpx.get(url, headers=headers).status_code == 401


def test_a_fault_that_nobody_knows_is_an_error_of_the_test():
    with pytest.raises(ValueError, match="stauts"):
        faults.parse("stauts=500")
