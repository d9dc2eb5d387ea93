"""The official Anthropic SDK when things go wrong: errors, retries, aborts, timeouts, broken streams."""

import asyncio
import time

import anthropic
import httpx
import pytest
import stack as stacks
from test_anthropic_messages import HELLO
from test_openai_errors import wait_gone

CLIENT = "ant"


def make_client(stack, retries=0, kind=anthropic.Anthropic, **more):
    return kind(
        **{
            "base_url": stack.anthropic_url,
            "api_key": "sk-ant-fake-client",
            "timeout": 30,
            "max_retries": retries,
            **more,
        }
    )


@pytest.fixture
def client(stack):
    with make_client(stack) as made:
        yield made


def ask(client, case, upstream, fault, **more):
    return client.messages.create(
        model=case.model(upstream, "fake-text", fault), messages=HELLO, **{"max_tokens": 100, **more}
    )


def text_of(stream):
    return "".join(event.delta.text for event in stream if event.type == "content_block_delta")


def assert_error_shape(raised, *kinds):
    """Anthropic's error body: type, error{type, message} and a request id, here and in its header."""
    body = raised.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] in kinds
    assert body["error"]["message"]
    assert body["request_id"] and raised.value.response.headers["request-id"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_not_found(client, case, stream):
    with pytest.raises(anthropic.NotFoundError) as raised:
        client.messages.create(model="no-such-model", messages=HELLO, max_tokens=10, stream=stream)
    assert_error_shape(raised, "not_found_error")


@pytest.mark.weir
def test_an_unknown_model_names_the_nearest(client, case):
    with pytest.raises(anthropic.NotFoundError, match="ant-plain-model"):
        client.messages.create(model="ant-plane-model", messages=HELLO, max_tokens=10)


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_provider_calls_bad_is_a_bad_request(client, case, upstream, stream):
    with pytest.raises(anthropic.BadRequestError) as raised:
        ask(client, case, upstream, "status=400", stream=stream)
    assert_error_shape(raised, "invalid_request_error")
    assert "told to answer 400" in raised.value.body["error"]["message"]
    assert len(case.records()) == 1


def test_a_prompt_that_does_not_fit_is_a_bad_request(client, case, upstream):
    with pytest.raises(anthropic.BadRequestError) as raised:
        ask(client, case, upstream, "context-length")
    assert_error_shape(raised, "invalid_request_error")


@pytest.mark.weir
def test_a_wrong_key_of_weirs_form_is_refused(stack, case):
    with (
        make_client(stack, api_key="wk_0000000000000000") as client,
        pytest.raises(anthropic.AuthenticationError) as raised,
    ):
        ask(client, case, "ant", "")
    assert_error_shape(raised, "authentication_error")
    assert case.records() == []


@pytest.mark.weir
def test_the_providers_refusal_of_weirs_key_is_not_the_callers_fault(client, case, upstream):
    with pytest.raises(anthropic.InternalServerError) as raised:
        ask(client, case, upstream, "status=401")
    assert raised.value.status_code == 502
    assert_error_shape(raised, "api_error")
    assert stacks.ANTHROPIC_KEY not in str(raised.value.body)


def test_a_rate_limit_says_how_long_to_wait(client, case, upstream):
    with pytest.raises(anthropic.RateLimitError) as raised:
        ask(client, case, upstream, "status=429;retry-after=12")
    assert_error_shape(raised, "rate_limit_error")
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 12


@pytest.mark.parametrize("fault", ["status=500", "status=503", "status=529", "html=502", "cut-before-head"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_outage_is_an_error_of_the_server(client, case, upstream, fault, stream):
    if case.stack.direct and fault == "cut-before-head":
        with pytest.raises(anthropic.APIConnectionError):
            ask(client, case, upstream, fault, stream=stream)
        return
    with pytest.raises(anthropic.APIStatusError) as raised:
        ask(client, case, upstream, fault, stream=stream)
    assert raised.value.status_code >= 500
    if not case.stack.direct:
        assert raised.value.status_code in (502, 503, 529)
        assert_error_shape(raised, "api_error", "overloaded_error")
        if fault == "status=529":
            assert raised.value.status_code == 529
            assert raised.value.body["error"]["type"] == "overloaded_error"


@pytest.mark.weir
@pytest.mark.parametrize("fault", ["empty-body", "cut-after-head", "cut-after-events=1"])
def test_half_an_answer_is_an_error(client, case, upstream, fault):
    with pytest.raises(anthropic.APIStatusError) as raised:
        ask(client, case, upstream, fault)
    assert raised.value.status_code in (502, 503, 504)
    assert_error_shape(raised, "api_error", "overloaded_error", "timeout_error")


@pytest.mark.parametrize(
    "fault",
    ["status=429;retry-after=1", "status=500", "status=503", "status=529", "cut-before-head", "html=502"],
)
def test_a_passing_fault_is_overcome(stack, case, upstream, fault):
    with make_client(stack, retries=2) as client:
        started = time.monotonic()
        answer = ask(client, case, upstream, f"{fault};times=1")
    assert answer.content[0].text == "Echo: Hello there, friend"
    assert len(case.records()) == 2
    if "retry-after=1" in fault:
        assert time.monotonic() - started >= 0.9


def test_a_passing_fault_before_the_stream_is_overcome(stack, case, upstream):
    with make_client(stack, retries=2) as client:
        assert (
            text_of(ask(client, case, upstream, "status=529;times=2", stream=True))
            == "Echo: Hello there, friend"
        )
    assert len(case.records()) == 3


@pytest.mark.parametrize("fault", ["cut-after-events=4", "error-event-after=4"])
def test_a_stream_that_breaks_raises_after_what_was_said(client, case, upstream, fault):
    text = ""
    with pytest.raises(Exception) as raised:
        for event in ask(client, case, upstream, fault, stream=True):
            text += event.delta.text if event.type == "content_block_delta" else ""
    assert text.startswith("Echo:") and len(text) < len("Echo: Hello there, friend")
    if not case.stack.direct:
        assert isinstance(raised.value, anthropic.APIError)
        assert raised.value.body["error"]["type"] in ("api_error", "overloaded_error")


@pytest.mark.weir
@pytest.mark.parametrize("fault", ["cut-after-head", "cut-after-events=1", "error-event-after=1"])
def test_a_stream_that_breaks_before_any_content_is_a_plain_error(client, case, upstream, fault):
    with pytest.raises(anthropic.APIStatusError) as raised:
        ask(client, case, upstream, fault, stream=True)
    assert raised.value.status_code in (502, 503, 529)
    assert_error_shape(raised, "api_error", "overloaded_error")


@pytest.mark.weir
def test_a_block_that_only_began_is_no_content_yet(client, case):
    with pytest.raises(anthropic.APIStatusError) as raised:
        ask(client, case, "ant", "error-event-after=2", stream=True)  # its second one begins the block
    assert raised.value.status_code in (502, 503, 529)


@pytest.mark.weir
def test_a_stream_that_broke_before_any_content_is_tried_again(client, case, upstream):
    stream = ask(client, case, upstream, "cut-after-head;times=1", stream=True)
    assert text_of(stream) == "Echo: Hello there, friend"
    assert len(case.records()) == 2


@pytest.mark.weir
def test_a_stream_without_its_finish_is_not_a_success(client, case, upstream):
    with pytest.raises(anthropic.APIError):
        list(ask(client, case, upstream, "no-finish;no-done", stream=True))


@pytest.mark.weir
def test_a_stream_with_its_finish_but_without_its_last_mark_is_complete(client, case, upstream):
    if upstream == "ant":  # the same dialect's bytes come as they are; the helper must still not hang
        assert text_of(ask(client, case, upstream, "no-done", stream=True)) == "Echo: Hello there, friend"
        return
    with client.messages.stream(
        model=case.model(upstream, "fake-text", "no-done"), messages=HELLO, max_tokens=100
    ) as stream:
        final = stream.get_final_message()
    assert (final.content[0].text, final.stop_reason) == ("Echo: Hello there, friend", "end_turn")


def test_leaving_a_stream_ends_the_providers_work(client, case, upstream):
    with client.messages.stream(
        model=case.model(upstream, "fake-slow"), messages=HELLO, max_tokens=500
    ) as stream:
        for count, _ in enumerate(stream.text_stream):
            if count == 3:
                break
    assert wait_gone(case) < 5000


def test_a_timeout_of_the_client_ends_the_providers_work(client, case, upstream):
    # The SDK tells the server its timeout, which then may be the first to give up: it is told another one.
    told = {"x-stainless-timeout": "30"}
    with pytest.raises(anthropic.APITimeoutError):
        ask(client, case, upstream, "stall-ms=5000", timeout=0.5, extra_headers=told)
    assert 300 < wait_gone(case) < 2000


def test_64_streams_at_once_do_not_mix(stack, case, upstream):
    async def one(client, number):
        async with client.messages.stream(
            model=case.model(upstream, "fake-text", "chunk=64"),
            max_tokens=1000,
            messages=[{"role": "user", "content": f"number {number} " * 20 + "."}],
        ) as stream:
            return await stream.get_final_text()

    async def everyone():
        async with make_client(stack, kind=anthropic.AsyncAnthropic, timeout=60) as client:
            return await asyncio.gather(*(one(client, number) for number in range(64)))

    assert asyncio.run(everyone()) == [f"Echo: {f'number {number} ' * 20}." for number in range(64)]


def headers_for(version):
    """What old and new SDKs send beside the version: the key in a header of its own, or as a bearer."""
    key = {"x-api-key": "sk-ant-fake"} if version == "2023-06-01" else {"authorization": "Bearer sk-ant-fake"}
    return {"anthropic-version": version, **key}


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_both_versions_of_the_api_are_spoken(stack, case, upstream, version):
    body = {"model": case.model(upstream, "fake-text"), "max_tokens": 100, "messages": HELLO}
    answer = httpx.post(
        f"{stack.anthropic_url}/v1/messages", json=body, headers=headers_for(version), timeout=10
    )
    assert [block["text"] for block in answer.json()["content"]] == ["Echo: Hello there, friend"]


def test_a_thread_is_refused_with_its_own_code(stack, case, upstream):
    """The SDK's tool runner then sends the whole history; to ignore the field would lose the conversation."""
    body = {
        "model": case.model(upstream, "fake-text"),
        "max_tokens": 100,
        "messages": HELLO,
        "thread": {"id": "thread_1"},
    }
    answer = httpx.post(
        f"{stack.anthropic_url}/v1/messages", json=body, headers=headers_for("2026-10-21"), timeout=10
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["error_code"] == "thread_unsupported_request"
