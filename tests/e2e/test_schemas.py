"""Every answer and event that Weir writes obeys the vendor's own schema, whatever provider it came from.

OpenAI's are checked with its OpenAPI document, Anthropic's with the types of its SDK, strictly: the SDKs
themselves accept nearly anything.
"""

import json

import anthropic.types
import httpx
import pydantic
import pytest
import stack as stacks
from fake import openai_checks
from test_fake_provider import CHAT_MODELS

pytestmark = pytest.mark.weir

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
MESSAGES = [{"role": "user", "content": "Hello there"}]
UPSTREAMS = pytest.mark.parametrize("target", ["oai", "ant"])
EACH_MODEL = pytest.mark.parametrize("model", [name for name in CHAT_MODELS if name != "fake-slow"])


def post(stack, path, body):
    headers = {"authorization": f"Bearer {stacks.CLIENT_KEY}"}
    if path.endswith("/messages"):
        headers["anthropic-version"] = "2026-10-21"
    answer = httpx.post(stack.weir.ready["url"] + path, json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


def events_of(answer):
    """The JSON of every event of a stream."""
    lines = [line[6:] for line in answer.text.split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@pytest.fixture(scope="module")
def document():
    made = openai_checks.Document()
    if not made.available:
        pytest.skip("OpenAI's OpenAPI document is not beside the project (WEIR_SHARED_DIR)")
    return made


def without_fingerprint(value):
    """OpenAI's own answers have a null here, which its document forbids."""
    if value.get("system_fingerprint", "") is None:
        del value["system_fingerprint"]
    return value


@UPSTREAMS
@EACH_MODEL
def test_a_chat_completion_obeys_openais_document(stack, case, document, target, model):
    body = {
        "model": case.model(target, model),
        "messages": MESSAGES,
        "reasoning_effort": "low",
        "max_completion_tokens": 8000,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": TOOL}}],
    }
    whole = without_fingerprint(post(stack, "/v1/chat/completions", body).json())
    assert document.problems("CreateChatCompletionResponse", whole) == []
    streamed = post(
        stack, "/v1/chat/completions", {**body, "stream": True, "stream_options": {"include_usage": True}}
    )
    for event in events_of(streamed):
        assert document.problems("CreateChatCompletionStreamResponse", without_fingerprint(event)) == [], (
            event
        )


@UPSTREAMS
def test_a_legacy_completion_obeys_openais_document(stack, case, document, target):
    body = {"model": case.model(target, "fake-text"), "prompt": "Hello there", "max_tokens": 50}
    assert document.problems("CreateCompletionResponse", post(stack, "/v1/completions", body).json()) == []


def test_the_list_of_models_obeys_openais_document(stack, document):
    models = httpx.get(f"{stack.openai_url}/models", timeout=10).json()
    assert document.problems("ListModelsResponse", models) == []


def valid(kind, value):
    """Fails unless `value` is of the SDK's type, with its literals and without coercion."""
    pydantic.TypeAdapter(kind).validate_json(json.dumps(value), strict=True)


@UPSTREAMS
@EACH_MODEL
def test_a_message_obeys_the_types_of_anthropics_sdk(stack, case, target, model):
    body = {
        "model": case.model(target, model),
        "messages": MESSAGES,
        "max_tokens": 8000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"name": "f", "input_schema": TOOL}],
    }
    valid(anthropic.types.Message, post(stack, "/v1/messages", body).json())
    for event in events_of(post(stack, "/v1/messages", {**body, "stream": True})):
        if event["type"] != "ping":
            valid(anthropic.types.RawMessageStreamEvent, event)


def test_the_list_of_models_obeys_the_types_of_anthropics_sdk(stack):
    headers = {"anthropic-version": "2026-10-21"}
    page = httpx.get(f"{stack.anthropic_url}/v1/models", headers=headers, timeout=10).json()
    for model in page["data"]:
        valid(anthropic.types.ModelInfo, model)
