"""LangChain's chat models for OpenAI and Anthropic: they retry, stream and count in ways of their own."""

import asyncio

import anthropic
import media
import openai
import pydantic
import pytest
import stack as stacks
from fake import script
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from test_openai_errors import wait_gone

HELLO = [SystemMessage("Be brief."), HumanMessage("Hello there, friend")]
ECHO = "[Be brief.] Echo: Hello there, friend"
SDKS = {"oai": openai, "ant": anthropic}  # whose errors LangChain passes on


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str
    age: int


def pytest_generate_tests(metafunc):
    """Both classes of model over each kind of provider; without Weir only the pairs that speak alike."""
    if "pair" in metafunc.fixturenames:
        pairs = [("oai", "oai"), ("ant", "ant")]
        if not metafunc.config.getoption("--direct"):
            pairs += [("oai", "ant"), ("ant", "oai")]
        metafunc.parametrize("pair", pairs, ids=lambda pair: f"{pair[0]}-client-{pair[1]}-provider")


@pytest.fixture
def chat(stack, case, pair):
    def make(name="fake-text", fault="", **more):
        more = {"model": case.model(pair[1], name, fault), "timeout": 30, **more}
        if pair[0] == "oai":
            return ChatOpenAI(base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, **more)
        return ChatAnthropic(
            base_url=stack.anthropic_url, api_key="sk-ant-fake-client", **{"max_tokens": 4096, **more}
        )

    return make


def fold(stream):
    chunks = list(stream)
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def test_an_answer_comes_whole_and_streamed_alike(chat):
    whole = chat("fake-text").invoke(HELLO)
    streamed = fold(chat("fake-text", stream_usage=True).stream(HELLO))
    assert whole.text == streamed.text == ECHO
    for usage in (whole.usage_metadata, streamed.usage_metadata):
        assert (usage["input_tokens"], usage["output_tokens"]) == (5, 6)


def test_parallel_tools_are_called_and_answered(chat):
    model = chat("fake-parallel-tools").bind_tools([get_weather])
    whole, streamed = model.invoke(HELLO), fold(model.stream(HELLO))
    for message in (whole, streamed):
        assert [call["args"] for call in message.tool_calls] == [{"city": city} for city in script.CITIES]
    results = [
        ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in whole.tool_calls
    ]
    final = model.invoke([*HELLO, whole, *results])
    assert final.text == "Results: " + "; ".join(f"sunny in {city}" for city in script.CITIES)


def test_a_picture_is_seen(chat):
    data, facts = media.base64_png(8, 6)
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image", "base64": data, "mime_type": "image/png"},
        {"type": "image", "url": "https://example.com/a.png"},
    ]
    answer = chat("fake-vision").invoke([HumanMessage(content)])
    assert answer.text == f"{facts}; url https://example.com/a.png"


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_has_its_type(chat, method):
    name = "fake-json" if method == "json_schema" else "fake-tools"
    answer = chat(name).with_structured_output(Person, method=method).invoke(HELLO)
    assert answer == Person(name="a name", age=7)


def test_cached_tokens_are_told(chat):
    usage = chat("fake-usage-cached").invoke(HELLO).usage_metadata
    assert usage["input_tokens"] == 120
    assert usage["input_token_details"]["cache_read"] == 60


def test_a_passing_fault_is_overcome(chat, case):
    assert chat("fake-text", "status=429;retry-after=1;times=1").invoke(HELLO).text == ECHO
    assert len(case.records()) == 2


def test_a_stream_that_breaks_raises(chat):
    with pytest.raises(Exception) as raised:
        fold(chat("fake-text", "error-event-after=4", max_retries=0).stream(HELLO))
    assert type(raised.value).__name__ in (
        "APIError",
        "APIStatusError",
        "InternalServerError",
        "OverloadedError",
    )


@pytest.mark.weir
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_unknown_model_is_not_found_and_the_nearest_is_named(chat, case, pair, stream):
    model = chat(model="oai-plane-model", max_retries=2)
    with pytest.raises(SDKS[pair[0]].NotFoundError, match="oai-plain-model") as raised:
        fold(model.stream(HELLO)) if stream else model.invoke(HELLO)
    assert raised.value.status_code == 404


def test_leaving_a_stream_ends_the_providers_work(chat, case):
    stream = chat("fake-slow").stream(HELLO)
    for count, _ in enumerate(stream):
        if count == 3:
            break
    stream.close()
    assert wait_gone(case) < 5000


def test_cancelling_a_call_ends_the_providers_work(chat, case):
    async def cancel_once_the_provider_works():
        call = asyncio.create_task(chat("fake-slow").ainvoke(HELLO))
        async with asyncio.timeout(10):
            while not case.records():
                await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(cancel_once_the_provider_works())
    assert wait_gone(case) < 5000


def test_a_timeout_of_the_client_ends_the_providers_work(chat, case, pair):
    # The SDK tells the server its timeout, which then may be the first to give up: it is told another one.
    model = chat("fake-slow", timeout=0.5, max_retries=0, default_headers={"x-stainless-timeout": "30"})
    with pytest.raises(SDKS[pair[0]].APITimeoutError):
        model.invoke(HELLO)
    assert 300 < wait_gone(case) < 2000


def test_embeddings_are_floats(stack, case):
    vectors = OpenAIEmbeddings(
        model=case.model("oai", "fake-embed"),
        base_url=stack.openai_url,
        api_key=stacks.CLIENT_KEY,
        check_embedding_ctx_length=False,
    ).embed_documents(["one", "two"])
    assert len(vectors) == 2 and len(vectors[0]) == 8
