"""The official OpenAI SDK beyond chat: embeddings, models, legacy completions, and many streams at once."""

import asyncio
import json

import openai
import pytest
import stack as stacks
from fake import openai_dialect, script
from test_openai_chat import HELLO
from test_openai_errors import make_client

CLIENT = "oai"


@pytest.fixture
def client(stack):
    with make_client(stack, retries=2) as made:
        yield made


def test_embeddings_are_decoded_from_base64(client, case):
    answer = client.embeddings.create(model=case.model("oai", "fake-embed"), input=["one", "東京"])
    assert [item.embedding for item in answer.data] == [
        openai_dialect.vector("one", 8),
        openai_dialect.vector("東京", 8),
    ]
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 2
    assert case.bodies()[0]["encoding_format"] == "base64"


def test_embeddings_as_floats_have_the_dimensions_asked_for(client, case):
    answer = client.embeddings.create(
        model=case.model("oai", "fake-embed"), input="one two", encoding_format="float", dimensions=16
    )
    assert answer.data[0].embedding == openai_dialect.vector("one two", 16)


def test_embeddings_of_token_ids_pass(client, case):
    answer = client.embeddings.create(
        model=case.model("oai", "fake-embed"), input=[[1, 2], [3]], encoding_format="float"
    )
    assert answer.data[1].embedding == openai_dialect.vector("[3]", 8)


def test_a_passing_fault_of_embeddings_is_overcome(client, case):
    answer = client.embeddings.create(model=case.model("oai", "fake-embed", "status=500;times=1"), input="x")
    assert len(answer.data) == 1 and len(case.records()) == 2


@pytest.mark.weir
def test_a_provider_without_embeddings_is_a_plain_refusal(client, case):
    with pytest.raises(openai.APIStatusError) as raised:
        client.embeddings.create(model=case.model("ant", "fake-embed"), input="x")
    assert 400 <= raised.value.status_code < 500 and raised.value.body["message"]
    assert case.records() == []


def test_models_are_listed(client, case):
    models = client.models.list().data
    assert models and all(model.id and model.object == "model" and model.owned_by for model in models)
    if not case.stack.direct:
        assert {"oai-plain-model", "ant-plain-model"} <= {model.id for model in models}


@pytest.mark.weir
def test_a_model_can_be_looked_up(client, case):
    assert client.models.retrieve("oai-plain-model").id == "oai-plain-model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.weir
@pytest.mark.parametrize("name", ["oai-plain-model", "ant-plain-model"])
def test_a_public_name_leads_to_its_target(client, case, name):
    raw = client.chat.completions.with_raw_response.create(model=name, messages=HELLO)
    assert raw.parse().choices[0].message.content == "Echo: Hello there, friend"
    assert raw.headers["x-weir-model"] == "fake-text"
    assert raw.headers["x-weir-provider"] == f"fake-{name[:3]}"
    assert raw.headers["x-weir-attempts"] == "1"
    assert raw.headers["x-request-id"]


def test_a_legacy_completion_comes_whole_and_streamed_alike(client, case, upstream):
    request = {"model": case.model(upstream, "fake-text"), "prompt": "Hello there", "max_tokens": 50}
    whole = client.completions.create(**request)
    parts = list(client.completions.create(**request, stream=True, stream_options={"include_usage": True}))
    assert whole.object == "text_completion"
    assert whole.choices[0].text == "Echo: Hello there"
    assert whole.choices[0].finish_reason == "stop"
    assert "".join(part.choices[0].text for part in parts if part.choices) == whole.choices[0].text
    assert (parts[-1].usage.prompt_tokens, parts[-1].usage.completion_tokens) == (2, 3)
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (2, 3)


def test_a_legacy_completion_obeys_its_limit(client, case, upstream):
    answer = client.completions.create(
        model=case.model(upstream, "fake-text"), prompt="Hello there", max_tokens=1
    )
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("Echo:", "length")


def test_64_streams_at_once_do_not_mix(stack, case, upstream):
    async def one(client, number):
        text = ""
        stream = await client.chat.completions.create(
            model=case.model(upstream, "fake-text", "chunk=64"),
            stream=True,
            messages=[{"role": "user", "content": f"number {number} " * 20}],
        )
        async for chunk in stream:
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
        return text

    async def everyone():
        async with openai.AsyncOpenAI(
            base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, timeout=60
        ) as client:
            return await asyncio.gather(*(one(client, number) for number in range(64)))

    assert asyncio.run(everyone()) == [f"Echo: {f'number {number} ' * 20}" for number in range(64)]


def test_the_async_client_calls_tools(stack, case, upstream):
    tool = {
        "type": "function",
        "function": {
            "name": "f",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }

    async def run():
        async with openai.AsyncOpenAI(
            base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, timeout=30
        ) as client:
            async with client.chat.completions.stream(
                model=case.model(upstream, "fake-parallel-tools"), messages=HELLO, tools=[tool]
            ) as stream:
                return await stream.get_final_completion()

    calls = asyncio.run(run()).choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["city"] for call in calls] == script.CITIES


@pytest.mark.weir
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_stop_sequence_holds_where_the_provider_takes_none(client, case, stream):
    """Responses has no such field: Weir watches the text."""
    asked = {"model": case.dotted("rsp", "fake-text"), "stop": ["three"], "stream": stream}
    answer = client.chat.completions.create(messages=[{"role": "user", "content": "one two three four"}], **asked)
    if stream:
        chunks = [chunk.choices[0] for chunk in answer if chunk.choices]
        text = "".join(chunk.delta.content or "" for chunk in chunks)
        finish = chunks[-1].finish_reason
    else:
        text, finish = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert text == "Echo: one two " and finish == "stop"
    assert "stop" not in case.bodies()[0]
