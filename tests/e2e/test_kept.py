"""What Weir keeps between the requests of the OpenAI SDK: thinking that a client drops, and responses."""

import openai
import pytest
from fake import script, signatures
from test_openai_chat import WEATHER
from test_openai_errors import make_client

pytestmark = pytest.mark.weir
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def assert_thinks_again(body):
    """The turn that called begins with what the provider itself had thought and signed."""
    block = body["messages"][1]["content"][0]
    assert block["type"] == "thinking" and block["thinking"] == script.THINKING
    assert signatures.is_genuine(signatures.CLAUDE, script.THINKING, block["signature"])


@pytest.fixture
def client(stack):
    with make_client(stack) as made:
        yield made


def ask_chat(client, stream, **more):
    """The message of an answer as plain clients keep it: text and calls, and nothing of its thinking."""
    if not stream:
        message = client.chat.completions.create(**more).choices[0].message
        calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()]
        return message.content, calls
    text, calls = "", {}
    for chunk in client.chat.completions.create(stream=True, **more):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                call = calls.setdefault(part.index, ["", "", ""])
                call[0] += part.id or ""
                call[1] += part.function.name or ""
                call[2] += part.function.arguments or ""
    return text, [tuple(call) for call in calls.values()]


@WAYS
def test_a_plain_tool_loop_gets_its_thinking_back(client, case, stream):
    more = {
        "model": case.model("ant", "fake-thinking"),
        "reasoning_effort": "low",
        "tools": [WEATHER],
        "max_tokens": 4000,
    }
    messages = [{"role": "user", "content": "How is the weather?"}]
    _, calls = ask_chat(client, stream, messages=messages, **more)
    assert [name for _, name, _ in calls] == ["get_weather"]
    messages.append(
        {
            "role": "assistant",
            "tool_calls": [
                {"id": call, "type": "function", "function": {"name": name, "arguments": arguments}}
                for call, name, arguments in calls
            ],
        }
    )
    messages.append({"role": "tool", "tool_call_id": calls[0][0], "content": "rain"})
    text, _ = ask_chat(client, stream, messages=messages, **more)
    assert text == "Results: rain"
    first, second = case.bodies()
    assert first["thinking"]["type"] == second["thinking"]["type"] != "disabled"
    assert [block["type"] for block in second["messages"][1]["content"]] == ["thinking", "tool_use"]
    assert_thinks_again(second)


def respond(client, stream, **more):
    """The response, the one of the last event if streamed."""
    answer = client.responses.create(stream=stream, **more)
    if not stream:
        return answer
    events = list(answer)
    assert events[0].response.id == events[-1].response.id
    return events[-1].response


def said_to(body):
    """Who said what in a Chat Completions or Messages body, texts alone."""
    said = [("system", body["system"])] if body.get("system") else []
    for message in body["messages"]:
        content = message["content"]
        texts = [content] if isinstance(content, str) else [part["text"] for part in content]
        said += [(message["role"], text) for text in texts]
    return said


@WAYS
@pytest.mark.parametrize("target", ["oai", "ant"])
def test_a_response_is_continued_by_its_id(client, case, target, stream):
    model = case.model(target, "fake-text")
    first = respond(client, stream, model=model, input="one", instructions="Be brief.", max_output_tokens=50)
    assert first.output_text == "[Be brief.] Echo: one"
    second = respond(
        client, stream, model=model, input="two", previous_response_id=first.id, max_output_tokens=50
    )
    assert second.id != first.id and second.previous_response_id == first.id
    third = respond(
        client, stream, model=model, input="three", previous_response_id=second.id, max_output_tokens=50
    )
    assert third.output_text == "Echo: three"
    # Instructions are not inherited.
    assert said_to(case.bodies()[2]) == [
        ("user", "one"),
        ("assistant", "[Be brief.] Echo: one"),
        ("user", "two"),
        ("assistant", "Echo: two"),
        ("user", "three"),
    ]


@WAYS
def test_a_stored_response_is_read_listed_and_deleted(client, case, stream):
    model = case.model("oai", "fake-text")
    first = respond(client, stream, model=model, input="one")
    second = respond(client, stream, model=model, input="two", previous_response_id=first.id)
    read = client.responses.retrieve(second.id)
    assert read.id == second.id and read.output_text == "Echo: two"
    assert [item.id for item in read.output] == [item.id for item in second.output]
    items = client.responses.input_items.list(second.id, order="asc").data
    assert [item.content[0].text for item in items] == ["one", "Echo: one", "two"]
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    # What came of it stands on its own.
    third = respond(client, stream, model=model, input="three", previous_response_id=second.id)
    assert third.output_text == "Echo: three"


@WAYS
def test_what_is_not_stored_cannot_be_continued(client, case, stream):
    model = case.model("oai", "fake-text")
    first = respond(client, stream, model=model, input="one", store=False)
    for id in (first.id, "resp_of_nobody"):
        with pytest.raises(openai.NotFoundError) as raised:
            client.responses.create(model=model, input="two", previous_response_id=id)
        assert raised.value.body["param"] == "previous_response_id"
    assert len(case.records()) == 1


@WAYS
def test_a_loop_of_responses_gets_its_thinking_back(client, case, stream):
    tool = {"type": "function", **WEATHER["function"], "strict": False}
    more = {
        "model": case.model("ant", "fake-thinking"),
        "reasoning": {"effort": "low"},
        "tools": [tool],
        "max_output_tokens": 4000,
    }
    first = respond(client, stream, input="How is the weather?", **more)
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    second = respond(client, stream, input=[result], previous_response_id=first.id, **more)
    assert second.output_text == "Results: rain"
    assert_thinks_again(case.bodies()[1])
