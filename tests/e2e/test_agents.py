"""openai-agents and LlamaIndex over every upstream; both want the OpenAI SDK 2: suite `last` runs them."""

import asyncio
import importlib.metadata

import pytest
import stack as stacks
from fake import script

OPENAI = importlib.metadata.version("openai")
if not OPENAI.startswith("2."):
    pytest.skip(f"these need the OpenAI SDK 2, this is {OPENAI}", allow_module_level=True)

import agents  # noqa: E402  only with the right SDK
import openai  # noqa: E402
from agents.models import openai_chatcompletions, openai_responses  # noqa: E402
from llama_index.core.llms import ChatMessage  # noqa: E402
from llama_index.core.tools import FunctionTool  # noqa: E402
from llama_index.llms.openai_like import OpenAILike  # noqa: E402

agents.set_tracing_disabled(True)
KINDS = {
    "chat": ("oai", openai_chatcompletions.OpenAIChatCompletionsModel),
    "responses": ("rsp", openai_responses.OpenAIResponsesModel),
}


def pytest_generate_tests(metafunc):
    direct = metafunc.config.getoption("--direct")
    if "kind" in metafunc.fixturenames:
        pairs = [
            (kind, upstream)
            for kind, (own, _) in KINDS.items()
            for upstream in ([own] if direct else stacks.UPSTREAMS)
        ]
        metafunc.parametrize("kind, upstream", pairs, ids=lambda part: part)
    elif "upstream" in metafunc.fixturenames:
        metafunc.parametrize("upstream", ["oai"] if direct else stacks.UPSTREAMS)


@agents.function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def agent(stack, case, kind, upstream, name, **more):
    client = openai.AsyncOpenAI(base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, max_retries=0)
    model = KINDS[kind][1](model=case.dotted(upstream, name), openai_client=client)
    return agents.Agent(name="a", instructions="Be brief.", model=model, **more)


def test_an_agent_answers(stack, case, kind, upstream):
    made = agent(stack, case, kind, upstream, "fake-text")
    assert asyncio.run(agents.Runner.run(made, "Hello")).final_output == "[Be brief.] Echo: Hello"


def test_an_agent_runs_its_tools_to_the_end(stack, case, kind, upstream):
    made = agent(stack, case, kind, upstream, "fake-parallel-tools", tools=[get_weather])
    wanted = "Results: " + "; ".join(f"sunny in {city}" for city in script.CITIES)
    assert asyncio.run(agents.Runner.run(made, "Hello")).final_output == wanted


def test_an_agent_thinks_through_a_loop_of_five_turns(stack, case, kind, upstream):
    settings = agents.ModelSettings(
        reasoning={"effort": "low"}, store=False, response_include=["reasoning.encrypted_content"]
    )
    made = agent(stack, case, kind, upstream, "fake-agent", tools=[get_weather], model_settings=settings)
    assert asyncio.run(agents.Runner.run(made, "Hello")).final_output.count("sunny") == 5
    assert len(case.records()) == 5


def test_an_agent_streams(stack, case, kind, upstream):
    async def run():
        made = agent(stack, case, kind, upstream, "fake-interleaved-tools", tools=[get_weather])
        result = agents.Runner.run_streamed(made, "Hello")
        async for _ in result.stream_events():
            pass
        return result.final_output

    wanted = "Results: " + "; ".join(f"sunny in {city}" for city in script.CITIES)
    assert asyncio.run(run()) == wanted


def llm(stack, case, upstream, name):
    return OpenAILike(
        model=case.dotted(upstream, name),
        api_base=stack.openai_url,
        api_key=stacks.CLIENT_KEY,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
    )


def test_llamaindex_chats_whole_and_streamed(stack, case, upstream):
    made = llm(stack, case, upstream, "fake-text")
    messages = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Hello")]
    assert made.chat(messages).message.content == "[Be brief.] Echo: Hello"
    *_, last = made.stream_chat(messages)
    assert last.message.content == "[Be brief.] Echo: Hello"


def test_llamaindex_calls_tools(stack, case, upstream):
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    made = llm(stack, case, upstream, "fake-parallel-tools")
    tool = FunctionTool.from_defaults(get_weather)
    answer = made.chat_with_tools([tool], user_msg="Hello", allow_parallel_tool_calls=True)
    calls = made.get_tool_calls_from_response(answer)
    assert [call.tool_kwargs["city"] for call in calls] == script.CITIES
    history = [ChatMessage(role="user", content="Hello"), answer.message]
    history += [
        ChatMessage(role="tool", content=get_weather(**call.tool_kwargs), additional_kwargs=id_of(call))
        for call in calls
    ]
    wanted = "Results: " + "; ".join(f"sunny in {city}" for city in script.CITIES)
    assert made.chat_with_tools([tool], chat_history=history).message.content == wanted


def id_of(call):
    return {"tool_call_id": call.tool_id, "name": call.tool_name}
