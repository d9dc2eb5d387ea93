"""LangChain's chat models for OpenAI and Anthropic: they retry, stream and count in ways of their own."""

import pydantic
import pytest
import stack as stacks
from fake import script
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

HELLO = [SystemMessage("Be brief."), HumanMessage("Hello there, friend")]
ECHO = "[Be brief.] Echo: Hello there, friend"


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
    def make(name, fault="", **more):
        model = case.model(pair[1], name, fault)
        if pair[0] == "oai":
            return ChatOpenAI(
                model=model, base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, timeout=30, **more
            )
        return ChatAnthropic(
            model=model,
            base_url=stack.anthropic_url,
            api_key="sk-ant-fake-client",
            timeout=30,
            **{"max_tokens": 4096, **more},
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


def test_embeddings_are_floats(stack, case):
    vectors = OpenAIEmbeddings(
        model=case.model("oai", "fake-embed"),
        base_url=stack.openai_url,
        api_key=stacks.CLIENT_KEY,
        check_embedding_ctx_length=False,
    ).embed_documents(["one", "two"])
    assert len(vectors) == 2 and len(vectors[0]) == 8
