"""Every client SDK over every upstream dialect: the same questions get the same answers.

`clients/` has one face for all SDKs. The fake counts tokens alike in all of its dialects, so that usage can
be compared too. What only one SDK can do stands in its own module.
"""

import json
import time

import media
import pytest
import stack as stacks
from clients import CLIENTS, base
from fake import script

TEXT = "Hello there, friend"
SYSTEM = "Be brief."
ECHO = "[Be brief.] Echo: Hello there, friend"
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def pytest_generate_tests(metafunc):
    """Each client over each upstream; without Weir only over its own dialect."""
    if "pair" not in metafunc.fixturenames:
        return
    direct = metafunc.config.getoption("--direct")
    pairs = [
        (client, upstream)
        for client in CLIENTS
        for upstream in stacks.UPSTREAMS
        if not direct or upstream == CLIENTS[client].DIALECT
    ]
    metafunc.parametrize("pair", pairs, ids=lambda pair: f"{pair[0]}-over-{pair[1]}")


@pytest.fixture
def chat(stack, case, pair):
    """Makes the Chats of one test, and closes them after it."""
    made = []

    def make(name, fault="", fails=False, stream=False, retries=0, **ask):
        client, upstream = pair
        model = case.dotted(upstream, name, fault, fails)
        made.append(CLIENTS[client](stack, model, base.Ask(**ask), stream, retries))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_an_answer_comes_whole_and_streamed_alike(chat):
    whole = chat("fake-text", system=SYSTEM).say(TEXT)
    streamed = chat("fake-text", system=SYSTEM, stream=True).say(TEXT)
    assert whole.text == streamed.text == ECHO
    assert whole.stop == streamed.stop == "end"
    assert whole.tokens == streamed.tokens == (5, 6)


@BOTH_WAYS
def test_the_next_turn_knows_the_ones_before(chat, case, stream):
    one = chat("fake-text", stream=stream)
    one.say("first")
    got = one.say("second")
    assert got.text == "Echo: second" and got.tokens[0] == 4
    assert len(case.records()) == 2


def test_a_long_text_arrives_whole(chat, case):
    """Over 256 KB a body is read and written beside the cores."""
    chat("fake-text").say("many words " * 40_000 + "the end")
    assert "many words the end" in json.dumps(case.bodies()[-1])


@BOTH_WAYS
def test_a_tool_is_called_and_answered(chat, stream):
    one = chat("fake-text-tools", stream=stream, tools=True)
    got = one.say(TEXT)
    assert got.text == "Let me look that up." and got.stop == "tool"
    assert [call[1:] for call in got.calls] == [(base.TOOL, {"city": "a city"})]
    assert one.answer(got, ["sunny"]).text == "Results: sunny"


@BOTH_WAYS
def test_parallel_calls_are_kept_apart_and_answered_in_order(chat, stream):
    one = chat("fake-interleaved-tools", stream=stream, tools=True)
    got = one.say(TEXT)
    assert got.cities == script.CITIES and got.stop == "tool"
    assert len({call[0] for call in got.calls}) == 3 or got.calls[0][0] is None
    assert one.answer(got, ["rain", "sun", "snow"]).text == "Results: rain; sun; snow"


@BOTH_WAYS
def test_a_call_without_arguments_has_none(chat, stream):
    got = chat("fake-empty-args", stream=stream, tools=True).say(TEXT)
    assert [call[1:] for call in got.calls] == [(base.TOOL, {})]


def test_a_picture_is_seen(chat):
    data, facts = media.base64_png(8, 6)
    assert chat("fake-vision").say("What is it?", data).text == facts


@BOTH_WAYS
def test_structured_output_has_its_schema(chat, stream):
    got = chat("fake-json", stream=stream, schema=base.PERSON).say(TEXT)
    assert json.loads(got.text) == {"name": "a name", "age": 7} and got.stop == "end"


@BOTH_WAYS
def test_thinking_comes_beside_the_answer(chat, pair, stream):
    got = chat("fake-thinking", stream=stream, thinking=True).say(TEXT)
    assert got.text == "Echo: Hello there, friend"
    # OpenAI shows a summary only to those who ask for one, and chat completions have no way to ask.
    is_shown = getattr(CLIENTS[pair[0]], "THINKS", True) and pair != ("openai-chat", "rsp")
    wanted = script.THINKING if is_shown else ""
    assert got.thinking == wanted


@BOTH_WAYS
def test_a_limit_is_told_as_one(chat, stream):
    got = chat("fake-long", stream=stream, limit=20).say("words=100")
    assert got.stop == "length" and got.text.startswith("word0 word1")
    assert got.tokens[1] == 20


@pytest.mark.parametrize("fault", ["", "chunk=7", "gzip"])
def test_characters_survive_in_a_stream(chat, stack, fault):
    if fault == "gzip" and stack.direct:
        pytest.skip("not every SDK takes a compressed stream; what Weir asks for it must read")
    assert chat("fake-unicode", fault, stream=True).say(TEXT).text == script.UNICODE


def class_of(error):
    return [kind.__name__ for kind in type(error).__mro__]


@pytest.mark.parametrize("status", [400, 429])
def test_an_error_has_the_class_that_the_sdk_has_for_it(chat, case, pair, status):
    fault = f"status={status}" + (";retry-after=90" if status == 429 else "")
    with pytest.raises(Exception) as raised:
        chat("fake-text", fault, fails=True).say(TEXT)
    assert CLIENTS[pair[0]].ERRORS[status] in class_of(raised.value), raised.value


def test_an_unknown_model_is_not_found(stack, case, pair):
    with pytest.raises(Exception) as raised:
        CLIENTS[pair[0]](stack, case.dotted(pair[1], "no-such-model", fails=True)).say(TEXT)
    assert CLIENTS[pair[0]].ERRORS[404] in class_of(raised.value), raised.value


def test_a_stream_that_breaks_raises(chat, pair):
    words = " ".join(f"word{number}" for number in range(20))
    with pytest.raises(Exception) as raised:
        chat("fake-text", "error-event-after=9", fails=True, stream=True).say(words)
    assert set(CLIENTS[pair[0]].STREAM_ERRORS) & set(class_of(raised.value)), raised.value


def wait_gone(case, seconds=5):
    """Waits until the fake saw its peer leave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        records = case.records()
        if records and records[0]["client_gone_ms"] is not None:
            return
        time.sleep(0.02)
    raise AssertionError("the provider still works for a client that left")


def test_an_abort_ends_the_providers_work(chat, case, pair):
    one = chat("fake-slow")
    one.add_user(TEXT, None)
    texts = one.first_texts()
    assert [next(texts) for _ in range(2)]
    texts.close()
    one.close()
    wait_gone(case)


def test_tokens_are_counted(chat, pair):
    one = chat("fake-text")
    if not hasattr(one, "count"):
        pytest.skip("this SDK counts no tokens")
    count = one.count("Hello there")
    if pair[1] == "oai":  # which has no such call: Weir estimates
        assert 1 <= count <= 20
    else:
        assert count == 2


EMBEDDERS = {
    "openai-chat": ["oai", "gem", "titan", "cohere"],
    "google-genai": ["oai", "gem", "titan", "cohere"],
}
EMBEDDING_MODELS = {
    "oai": ("oai", "fake-embed"),
    "gem": ("gem", "fake-embed"),
    "titan": ("inv", "amazon.titan-embed-text-v2:0"),
    "cohere": ("inv", "cohere.embed-english-v3"),
}


@pytest.mark.weir
@pytest.mark.parametrize(
    "client, kind", [(client, kind) for client, kinds in EMBEDDERS.items() for kind in kinds]
)
def test_embeddings_come_in_order(stack, case, client, kind):
    upstream, model = EMBEDDING_MODELS[kind]
    name = f"embed.{model}~{case.id}" if upstream == "inv" else case.dotted(upstream, model)
    vectors = CLIENTS[client].embed(stack, name, ["one", "two", "one"])
    assert len(vectors) == 3 and len(vectors[0]) in (8, 1024)
    assert vectors[0] == vectors[2] != vectors[1]
