"""The official OpenAI SDK: all a chat completion can be, whole and streamed, over both kinds of provider.

fake/script.py says what the fake answers. Its dialects count tokens alike, so that usage can be compared.
"""

import json

import media
import openai
import pydantic
import pytest
import stack as stacks
from fake import script

CLIENT = "oai"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
HELLO = [{"role": "user", "content": "Hello there, friend"}]


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, timeout=30) as made:
        yield made


def fold(stream):
    """A stream as a whole; its calls by index, each as [id, name, arguments]."""
    chunks, text, reasoning, finish, calls, usage = [], "", "", None, {}, None
    for chunk in stream:
        chunks.append(chunk)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                known = calls.setdefault(call.index, [None, "", ""])
                known[0] = call.id or known[0]
                known[1] += call.function.name or ""
                known[2] += call.function.arguments or ""
    return {
        "text": text,
        "reasoning": reasoning,
        "finish": finish,
        "calls": calls,
        "usage": usage,
        "chunks": chunks,
    }


def both_ways(client, **request):
    """The whole answer and the folded stream of one request, after checks that hold for every answer."""
    whole = client.chat.completions.create(**request)
    folded = fold(
        client.chat.completions.create(**request, stream=True, stream_options={"include_usage": True})
    )
    assert whole.object == "chat.completion"
    assert {chunk.object for chunk in folded["chunks"]} == {"chat.completion.chunk"}
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in folded["chunks"]}) == 1
    choice = whole.choices[0]
    assert (choice.message.content or "") == folded["text"]
    assert choice.finish_reason == folded["finish"]
    calls = [
        [call.id, call.function.name, call.function.arguments] for call in choice.message.tool_calls or []
    ]
    streamed = [call for _, call in sorted(folded["calls"].items())]
    assert [call[1] for call in calls] == [call[1] for call in streamed]
    assert [json.loads(call[2] or "{}") for call in calls] == [
        json.loads(call[2] or "{}") for call in streamed
    ]
    assert whole.usage.model_dump() == folded["usage"].model_dump()
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    return whole, folded


def test_a_plain_answer_comes_whole_and_streamed_alike(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-text"), messages=HELLO)
    assert whole.choices[0].message.content == "Echo: Hello there, friend"
    assert whole.choices[0].message.role == "assistant"
    assert whole.choices[0].finish_reason == "stop"
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (3, 4)
    assert whole.model.endswith(f"fake-text~{case.id}")
    assert whole.id.startswith("chatcmpl-")


def test_the_stream_has_a_role_first_and_usage_last_when_it_is_asked_for(client, case, upstream):
    model = case.model(upstream, "fake-text")
    chunks = fold(
        client.chat.completions.create(
            model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )["chunks"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 4
    assert all(chunk.usage is None for chunk in chunks[:-1])
    finishes = [chunk.choices[0].finish_reason for chunk in chunks[:-1]]
    assert finishes[-1] == "stop" and set(finishes[:-1]) == {None}


def test_no_usage_chunk_is_sent_to_who_did_not_ask(client, case, upstream):
    chunks = fold(
        client.chat.completions.create(model=case.model(upstream, "fake-text"), messages=HELLO, stream=True)
    )["chunks"]
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.weir
def test_usage_is_asked_of_the_provider_even_if_the_client_does_not_want_it(client, case):
    list(client.chat.completions.create(model=case.model("oai", "fake-text"), messages=HELLO, stream=True))
    assert case.bodies()[0]["stream_options"]["include_usage"] is True


def test_the_stream_helper_gives_the_final_completion(client, case, upstream):
    with client.chat.completions.stream(
        model=case.model(upstream, "fake-parallel-tools"), messages=HELLO, tools=[WEATHER]
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"} <= kinds
    cities = [json.loads(call.function.arguments)["city"] for call in final.choices[0].message.tool_calls]
    assert cities == script.CITIES


def test_a_tool_is_called(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-tools"), messages=HELLO, tools=[WEATHER])
    [call] = whole.choices[0].message.tool_calls
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.choices[0].message.content is None
    assert call.type == "function" and call.id
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "get_weather",
        {"city": "a city", "days": 7},
    )


def test_text_before_a_tool_call_is_kept(client, case, upstream):
    whole, _ = both_ways(
        client, model=case.model(upstream, "fake-text-tools"), messages=HELLO, tools=[WEATHER]
    )
    assert whole.choices[0].message.content == "Let me look that up."
    assert len(whole.choices[0].message.tool_calls) == 1


@pytest.mark.parametrize("model", ["fake-parallel-tools", "fake-interleaved-tools"])
def test_parallel_calls_keep_their_arguments_apart(client, case, upstream, model):
    whole, folded = both_ways(client, model=case.model(upstream, model), messages=HELLO, tools=[WEATHER])
    calls = whole.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["city"] for call in calls] == script.CITIES
    assert len({call.id for call in calls}) == 3
    assert sorted(folded["calls"]) == [0, 1, 2]


def test_a_call_without_arguments_is_an_empty_object(client, case, upstream):
    tool = {"type": "function", "function": {"name": "now"}}
    whole, _ = both_ways(client, model=case.model(upstream, "fake-empty-args"), messages=HELLO, tools=[tool])
    [call] = whole.choices[0].message.tool_calls
    assert json.loads(call.function.arguments or "{}") == {}


def test_a_tool_loop_comes_to_an_answer(client, case, upstream):
    model = case.model(upstream, "fake-parallel-tools")
    messages = [{"role": "system", "content": "Be exact."}, *HELLO]
    first = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    messages.append(first.choices[0].message.model_dump(exclude_none=True, exclude={"annotations"}))
    for call, text in zip(first.choices[0].message.tool_calls, ["sunny", "雨", "fog"]):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
    messages.append({"role": "user", "content": "Well?"})
    with_text = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    messages.pop()
    second = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content == "Results: sunny; 雨; fog"
    assert second.choices[0].finish_reason == "stop"
    assert with_text.choices[0].finish_reason in ("stop", "tool_calls")


@pytest.mark.parametrize(
    "choice, wanted",
    [
        ("none", []),
        ("auto", ["get_weather"]),
        ("required", ["get_weather"]),
        ({"type": "function", "function": {"name": "other"}}, ["other"]),
    ],
)
def test_the_choice_of_tool_is_obeyed(client, case, upstream, choice, wanted):
    other = {"type": "function", "function": {**WEATHER["function"], "name": "other"}}
    answer = client.chat.completions.create(
        model=case.model(upstream, "fake-tools"), messages=HELLO, tools=[WEATHER, other], tool_choice=choice
    )
    assert [call.function.name for call in answer.choices[0].message.tool_calls or []] == wanted


def test_parallel_calls_can_be_forbidden(client, case, upstream):
    answer = client.chat.completions.create(
        model=case.model(upstream, "fake-parallel-tools"),
        messages=HELLO,
        tools=[WEATHER],
        parallel_tool_calls=False,
    )
    assert len(answer.choices[0].message.tool_calls) == 1


def picture(url):
    return [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": url}},
            ],
        }
    ]


@pytest.mark.parametrize("padding", [0, 5 << 20], ids=["small", "5MB"])
def test_a_picture_arrives_byte_for_byte(client, case, upstream, padding):
    data, facts = media.base64_png(8, 6, padding)
    whole, _ = both_ways(
        client, model=case.model(upstream, "fake-vision"), messages=picture(f"data:image/png;base64,{data}")
    )
    assert whole.choices[0].message.content == facts


def test_a_picture_is_named_by_its_url(client, case, upstream):
    answer = client.chat.completions.create(
        model=case.model(upstream, "fake-vision"), messages=picture("https://example.com/a%20b.png?c=1")
    )
    assert answer.choices[0].message.content == "url https://example.com/a%20b.png?c=1"


class Person(pydantic.BaseModel):
    name: str
    age: int
    tags: list[str]


def test_a_parsed_answer_has_the_type_asked_for(client, case, upstream):
    model = case.model(upstream, "fake-json")
    parsed = client.chat.completions.parse(model=model, messages=HELLO, response_format=Person)
    assert parsed.choices[0].message.parsed == Person(name="a name", age=7, tags=["a tags"])
    assert parsed.choices[0].finish_reason == "stop"
    assert not parsed.choices[0].message.tool_calls
    with client.chat.completions.stream(model=model, messages=HELLO, response_format=Person) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.parsed == parsed.choices[0].message.parsed


def test_a_json_object_can_be_asked_for(client, case, upstream):
    answer = client.chat.completions.create(
        model=case.model(upstream, "fake-json"), messages=HELLO, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_every_system_message_arrives_in_order(client, case, upstream):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        *HELLO,
    ]
    answer = client.chat.completions.create(model=case.model(upstream, "fake-text"), messages=messages)
    assert answer.choices[0].message.content == "[Be brief. | Be kind.] Echo: Hello there, friend"


def test_a_conversation_of_many_turns_arrives(client, case, upstream):
    messages = [
        *HELLO,
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "One"},
        {"role": "user", "content": [{"type": "text", "text": "Two"}]},
    ]
    answer = client.chat.completions.create(model=case.model(upstream, "fake-text"), messages=messages)
    assert answer.choices[0].message.content.split("\n")[-1] in ("Two", "Echo: Two")


@pytest.mark.parametrize("stop", ["there", [", fr", "nothing"]])
def test_a_stop_sequence_ends_the_answer(client, case, upstream, stop):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-text"), messages=HELLO, stop=stop)
    wanted = "Echo: Hello " if stop == "there" else "Echo: Hello there"
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (wanted, "stop")


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_ends_the_answer(client, case, upstream, field):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-text"), messages=HELLO, **{field: 2})
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("Echo: Hello", "length")


def test_an_answer_that_stops_at_the_models_own_limit_says_so(client, case, upstream):
    whole, _ = both_ways(
        client,
        model=case.model(upstream, "fake-length"),
        messages=[{"role": "user", "content": "a b c d e f g h"}],
    )
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("Echo: a b c d", "length")


@pytest.mark.parametrize("fault", ["", "chunk=1", "chunk=3", "dribble;comments", "crlf", "gzip"])
def test_characters_survive_however_the_bytes_are_cut(client, case, upstream, fault):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-unicode", fault), messages=HELLO)
    assert whole.choices[0].message.content == script.UNICODE


def test_characters_survive_in_the_request(client, case, upstream):
    answer = client.chat.completions.create(
        model=case.model(upstream, "fake-text"), messages=[{"role": "user", "content": script.UNICODE}]
    )
    assert answer.choices[0].message.content == f"Echo: {script.UNICODE}"


def test_thinking_comes_beside_the_answer(client, case, upstream):
    whole, folded = both_ways(
        client,
        model=case.model(upstream, "fake-thinking"),
        messages=HELLO,
        reasoning_effort="low",
        max_completion_tokens=8000,
    )
    assert whole.choices[0].message.content == "Echo: Hello there, friend"
    assert whole.choices[0].message.reasoning_content == script.THINKING
    assert folded["reasoning"] == script.THINKING
    assert whole.usage.completion_tokens_details.reasoning_tokens == len(script.pieces(script.THINKING))


def test_a_refusal_is_seen(client, case, upstream):
    whole = client.chat.completions.create(model=case.model(upstream, "fake-refusal"), messages=HELLO)
    message = whole.choices[0].message
    assert script.REFUSAL in (message.refusal, message.content)
    assert message.refusal or whole.choices[0].finish_reason == "content_filter"


def test_cached_tokens_are_counted_once(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-usage-cached"), messages=HELLO)
    assert whole.usage.prompt_tokens == 120
    assert whole.usage.prompt_tokens_details.cached_tokens == 60
    assert whole.usage.completion_tokens == 4


def test_several_choices_are_given_or_refused(client, case, upstream):
    request = {"model": case.model(upstream, "fake-text"), "messages": HELLO, "n": 2}
    if upstream == "oai":
        whole = client.chat.completions.create(**request)
        assert [choice.index for choice in whole.choices] == [0, 1]
        streamed = {}
        for chunk in client.chat.completions.create(**request, stream=True):
            for choice in chunk.choices:
                streamed[choice.index] = streamed.get(choice.index, "") + (choice.delta.content or "")
        assert streamed == {0: "Echo: Hello there, friend", 1: "Echo: Hello there, friend"}
    else:
        with pytest.raises(openai.BadRequestError, match=r"\bn\b"):
            client.chat.completions.create(**request)


def test_sampling_settings_reach_the_provider(client, case, upstream):
    client.chat.completions.create(
        model=case.model(upstream, "fake-text"), messages=HELLO, temperature=0, user="user-1"
    )
    [body] = case.bodies()
    assert body["temperature"] == 0
    assert (body["user"] if upstream == "oai" else body["metadata"]["user_id"]) == "user-1"


def test_a_long_stream_is_complete(client, case, upstream):
    messages = [{"role": "user", "content": "words=5000"}]
    folded = fold(
        client.chat.completions.create(
            model=case.model(upstream, "fake-long"), messages=messages, stream=True, max_tokens=100000
        )
    )
    assert folded["text"] == " ".join(f"word{i}" for i in range(5000))
