"""The official Anthropic SDK: all that a message can be, whole and streamed, over both kinds of provider."""

import json

import anthropic
import media
import pydantic
import pytest
from fake import script, signatures

CLIENT = "ant"
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}
HELLO = [{"role": "user", "content": "Hello there, friend"}]


@pytest.fixture
def client(stack):
    with anthropic.Anthropic(base_url=stack.anthropic_url, api_key="sk-ant-fake-client", timeout=30) as made:
        yield made


def plain(message):
    """A message's content without what only one dialect can carry: ids of calls, signatures."""
    out = []
    for block in message.content:
        if block.type == "tool_use":
            out.append(("tool_use", block.name, block.input))
        else:
            out.append((block.type, getattr(block, block.type)))
    return out


def check_order(events):
    """The raw events of a stream obey Anthropic's order; gives the types of its blocks."""
    kinds = [event.type for event in events if event.type != "ping"]
    assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"]
    opened, block_types = None, []
    for event in events:
        if event.type == "content_block_start":
            assert opened is None and event.index == len(block_types)
            opened = event.index
            block_types.append(event.content_block.type)
        elif event.type in ("content_block_delta", "content_block_stop"):
            assert event.index == opened
            opened = None if event.type == "content_block_stop" else opened
    assert opened is None
    assert events[0].message.content == [] and events[0].message.stop_reason is None
    return block_types


def both_ways(client, **request):
    """The whole message and the one that the stream helper makes, after checks that hold for every answer."""
    request = {"max_tokens": 4096, **request}
    whole = client.messages.create(**request)
    events = list(client.messages.create(**request, stream=True))
    with client.messages.stream(**request) as stream:
        folded = stream.get_final_message()
    assert (whole.type, whole.role) == ("message", "assistant")
    assert plain(whole) == plain(folded)
    assert check_order(events) == [block.type for block in whole.content]
    assert (whole.stop_reason, whole.stop_sequence) == (folded.stop_reason, folded.stop_sequence)
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (
        folded.usage.input_tokens,
        folded.usage.output_tokens,
    )
    assert (whole.usage.cache_read_input_tokens or 0) == (folded.usage.cache_read_input_tokens or 0)
    assert folded.usage.output_tokens == events[-2].usage.output_tokens
    assert events[0].message.usage.output_tokens <= 1
    return whole, events


def test_a_plain_answer_comes_whole_and_streamed_alike(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-text"), messages=HELLO)
    assert plain(whole) == [("text", "Echo: Hello there, friend")]
    assert (whole.stop_reason, whole.stop_sequence) == ("end_turn", None)
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (3, 4)
    assert whole.model.endswith(f"fake-text~{case.id}")
    assert whole.id.startswith("msg_")


def test_the_stream_helper_gives_text_as_it_comes(client, case, upstream):
    with client.messages.stream(
        model=case.model(upstream, "fake-text"), messages=HELLO, max_tokens=100
    ) as stream:
        parts = list(stream.text_stream)
    assert "".join(parts) == "Echo: Hello there, friend"
    assert len(parts) >= 4


def test_a_tool_is_called(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-tools"), messages=HELLO, tools=[WEATHER])
    assert plain(whole) == [("tool_use", "get_weather", {"city": "a city", "days": 7})]
    assert whole.stop_reason == "tool_use"


def test_text_before_a_tool_call_is_kept(client, case, upstream):
    whole, _ = both_ways(
        client, model=case.model(upstream, "fake-text-tools"), messages=HELLO, tools=[WEATHER]
    )
    assert [block.type for block in whole.content] == ["text", "tool_use"]
    assert whole.content[0].text == "Let me look that up."


@pytest.mark.parametrize("model", ["fake-parallel-tools", "fake-interleaved-tools"])
def test_parallel_calls_keep_their_inputs_apart(client, case, upstream, model):
    whole, _ = both_ways(client, model=case.model(upstream, model), messages=HELLO, tools=[WEATHER])
    assert [block.input["city"] for block in whole.content] == script.CITIES
    assert len({block.id for block in whole.content}) == 3


def test_a_call_without_arguments_is_an_empty_object(client, case, upstream):
    tool = {"name": "now", "input_schema": {"type": "object", "properties": {}}}
    whole, _ = both_ways(client, model=case.model(upstream, "fake-empty-args"), messages=HELLO, tools=[tool])
    assert plain(whole) == [("tool_use", "now", {})]


def test_a_tool_loop_comes_to_an_answer(client, case, upstream):
    request = {
        "model": case.model(upstream, "fake-parallel-tools"),
        "tools": [WEATHER],
        "max_tokens": 1000,
        "system": "Be exact.",
    }
    first = client.messages.create(messages=HELLO, **request)
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": content}
        for block, content in zip(first.content, ["sunny", [{"type": "text", "text": "雨"}], "fog"])
    ]
    results[2]["is_error"] = True
    messages = [*HELLO, {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
    second = client.messages.create(messages=messages, **request)
    assert second.content[0].text == "Results: sunny; 雨; ERROR fog"
    assert second.stop_reason == "end_turn"


def test_text_after_the_results_arrives_too(client, case, upstream):
    request = {"model": case.model(upstream, "fake-tools"), "tools": [WEATHER], "max_tokens": 1000}
    first = client.messages.create(messages=HELLO, **request)
    results = [
        {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "sunny"},
        {"type": "text", "text": "And tomorrow?"},
    ]
    client.messages.create(
        messages=[
            *HELLO,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": results},
        ],
        **request,
    )
    assert "And tomorrow?" in json.dumps(case.bodies()[-1])


@pytest.mark.parametrize(
    "choice, wanted",
    [
        ({"type": "none"}, []),
        ({"type": "auto"}, ["get_weather"]),
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "other"}, ["other"]),
    ],
)
def test_the_choice_of_tool_is_obeyed(client, case, upstream, choice, wanted):
    answer = client.messages.create(
        model=case.model(upstream, "fake-tools"),
        messages=HELLO,
        max_tokens=1000,
        tools=[WEATHER, {**WEATHER, "name": "other"}],
        tool_choice=choice,
    )
    assert [block.name for block in answer.content if block.type == "tool_use"] == wanted


def test_parallel_calls_can_be_forbidden(client, case, upstream):
    answer = client.messages.create(
        model=case.model(upstream, "fake-parallel-tools"),
        messages=HELLO,
        max_tokens=1000,
        tools=[WEATHER],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    assert len(answer.content) == 1


def picture(source):
    return [
        {
            "role": "user",
            "content": [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}],
        }
    ]


@pytest.mark.parametrize("padding", [0, 5 << 20], ids=["small", "5MB"])
def test_a_picture_arrives_byte_for_byte(client, case, upstream, padding):
    data, facts = media.base64_png(8, 6, padding)
    whole, _ = both_ways(
        client,
        model=case.model(upstream, "fake-vision"),
        messages=picture({"type": "base64", "media_type": "image/png", "data": data}),
    )
    assert whole.content[0].text == facts


def test_a_picture_is_named_by_its_url(client, case, upstream):
    answer = client.messages.create(
        model=case.model(upstream, "fake-vision"),
        max_tokens=100,
        messages=picture({"type": "url", "url": "https://example.com/a%20b.png?c=1"}),
    )
    assert answer.content[0].text == "url https://example.com/a%20b.png?c=1"


def test_a_picture_in_a_tool_result_is_seen(client, case, upstream):
    data, _ = media.base64_png(4, 3)
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome", "days": 1}}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "text", "text": "see"}, image],
    }
    client.messages.create(
        model=case.model(upstream, "fake-vision"),
        max_tokens=100,
        tools=[WEATHER],
        messages=[*HELLO, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}],
    )
    assert data in json.dumps(case.bodies()[-1])


class Person(pydantic.BaseModel):
    name: str
    age: int
    tags: list[str]


def test_a_parsed_answer_has_the_type_asked_for(client, case, upstream):
    answer = client.messages.parse(
        model=case.model(upstream, "fake-json"), messages=HELLO, max_tokens=1000, output_format=Person
    )
    assert answer.parsed_output == Person(name="a name", age=7, tags=["a tags"])
    assert answer.stop_reason == "end_turn"


def test_a_schema_in_output_config_is_obeyed_whole_and_streamed(client, case, upstream):
    schema = {
        "type": "object",
        "properties": {"x": {"type": "integer"}, "y": {"enum": ["b", "a"]}},
        "required": ["x", "y"],
        "additionalProperties": False,
    }
    whole, _ = both_ways(
        client,
        model=case.model(upstream, "fake-json"),
        messages=HELLO,
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert [block.type for block in whole.content] == ["text"]
    assert json.loads(whole.content[0].text) == {"x": 7, "y": "b"}


@pytest.mark.parametrize("system", ["Be brief. Be kind.", [{"type": "text", "text": "Be brief. Be kind."}]])
def test_the_system_prompt_arrives(client, case, upstream, system):
    answer = client.messages.create(
        model=case.model(upstream, "fake-text"), messages=HELLO, max_tokens=100, system=system
    )
    assert answer.content[0].text == "[Be brief. Be kind.] Echo: Hello there, friend"


def test_system_blocks_with_cache_markers_stay_apart(client, case, upstream):
    system = [
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Be kind."},
    ]
    answer = client.messages.create(
        model=case.model(upstream, "fake-text"), messages=HELLO, max_tokens=100, system=system
    )
    assert answer.content[0].text == "[Be brief. | Be kind.] Echo: Hello there, friend"


def test_a_conversation_of_many_turns_arrives(client, case, upstream):
    messages = [
        *HELLO,
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": [{"type": "text", "text": "Two"}]},
    ]
    answer = client.messages.create(
        model=case.model(upstream, "fake-text"), messages=messages, max_tokens=100
    )
    assert answer.content[0].text == "Echo: Two"


def test_a_stop_sequence_ends_the_answer(client, case, upstream):
    whole, _ = both_ways(
        client, model=case.model(upstream, "fake-text"), messages=HELLO, stop_sequences=[", fr", "nothing"]
    )
    assert whole.content[0].text == "Echo: Hello there"
    if upstream == "ant":  # OpenAI's dialect does not tell that a sequence was met
        assert (whole.stop_reason, whole.stop_sequence) == ("stop_sequence", ", fr")
    else:
        assert whole.stop_reason in ("end_turn", "stop_sequence")


def test_a_limit_of_tokens_ends_the_answer(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-text"), messages=HELLO, max_tokens=2)
    assert (whole.content[0].text, whole.stop_reason) == ("Echo: Hello", "max_tokens")


@pytest.mark.parametrize("fault", ["", "chunk=1", "chunk=3", "dribble;comments", "crlf", "gzip"])
def test_characters_survive_however_the_bytes_are_cut(client, case, upstream, fault):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-unicode", fault), messages=HELLO)
    assert whole.content[0].text == script.UNICODE


def test_characters_survive_in_the_request(client, case, upstream):
    answer = client.messages.create(
        model=case.model(upstream, "fake-text"),
        max_tokens=1000,
        messages=[{"role": "user", "content": script.UNICODE}],
    )
    assert answer.content[0].text == f"Echo: {script.UNICODE}"


THINK = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 8000}


def test_thinking_comes_before_the_answer(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-thinking"), messages=HELLO, **THINK)
    assert plain(whole) == [("thinking", script.THINKING), ("text", "Echo: Hello there, friend")]
    if upstream == "ant":
        assert signatures.is_genuine(signatures.CLAUDE, script.THINKING, whole.content[0].signature)
        assert whole.usage.output_tokens_details.thinking_tokens == len(script.pieces(script.THINKING))


def test_thinking_goes_back_with_its_signature_in_a_tool_loop(client, case, upstream):
    request = {"model": case.model(upstream, "fake-thinking"), "tools": [WEATHER], **THINK}
    first = client.messages.create(messages=HELLO, **request)
    assert [block.type for block in first.content] == ["thinking", "tool_use"]
    result = {"type": "tool_result", "tool_use_id": first.content[1].id, "content": "sunny"}
    second = client.messages.create(
        messages=[
            *HELLO,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ],
        **request,
    )
    assert second.content[-1].text == "Results: sunny"
    if upstream == "ant":
        assert case.bodies()[-1]["messages"][1]["content"][0]["signature"] == first.content[0].signature


def test_a_refusal_is_seen(client, case, upstream):
    whole, _ = both_ways(client, model=case.model(upstream, "fake-refusal"), messages=HELLO)
    assert whole.stop_reason == "refusal"
    assert whole.content[0].text == script.REFUSAL


def test_cached_tokens_are_counted_apart(client, case, upstream):
    whole, events = both_ways(client, model=case.model(upstream, "fake-usage-cached"), messages=HELLO)
    usage = whole.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 4)
    assert usage.cache_creation_input_tokens == 20
    if upstream == "ant":
        assert events[0].message.usage.cache_read_input_tokens == 60


def test_who_the_user_is_reaches_the_provider(client, case, upstream):
    client.messages.create(
        model=case.model(upstream, "fake-text"), messages=HELLO, max_tokens=10, metadata={"user_id": "user-1"}
    )
    [body] = case.bodies()
    if upstream == "ant":
        assert body["metadata"] == {"user_id": "user-1"}
    else:
        assert "user-1" in (body.get("user"), body.get("safety_identifier"))


def test_tokens_are_counted(client, case, upstream):
    count = client.messages.count_tokens(
        model=case.model(upstream, "fake-text"), messages=HELLO, system="Be brief.", tools=[WEATHER]
    )
    assert count.input_tokens > 0
    if upstream == "ant":
        assert (
            count.input_tokens
            == client.messages.create(
                model=case.model(upstream, "fake-text"),
                messages=HELLO,
                system="Be brief.",
                tools=[WEATHER],
                max_tokens=100,
            ).usage.input_tokens
        )


def test_models_are_listed_in_this_dialects_shape(client, case):
    page = client.models.list(limit=1000)
    assert (page.first_id, page.last_id) == (page.data[0].id, page.data[-1].id)
    # The models that are known behind wildcards may take further pages, which the SDK asks for.
    models = list(page)
    assert models and all(model.type == "model" and model.id and model.display_name for model in models)
    assert len({model.id for model in models}) == len(models)
    if not case.stack.direct:
        assert {"oai-plain-model", "ant-plain-model"} <= {model.id for model in models}


def test_a_tool_runner_runs_its_tools(client, case, upstream):
    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather.

        Args:
            city: Where.
        """
        return f"sunny in {city}"

    runner = client.beta.messages.tool_runner(
        model=case.model(upstream, "fake-parallel-tools"),
        max_tokens=1000,
        messages=HELLO,
        tools=[get_weather],
    )
    final = runner.until_done()
    assert final.content[0].text == "Results: " + "; ".join(f"sunny in {city}" for city in script.CITIES)


def test_a_long_stream_is_complete(client, case, upstream):
    with client.messages.stream(
        model=case.model(upstream, "fake-long"),
        max_tokens=100000,
        messages=[{"role": "user", "content": "words=5000"}],
    ) as stream:
        text = stream.get_final_text()
    assert text == " ".join(f"word{i}" for i in range(5000))
