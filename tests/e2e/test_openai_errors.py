"""The official OpenAI SDK when things go wrong: errors, retries, aborts, timeouts, broken streams."""

import time

import httpx
import openai
import pytest
import stack as stacks
from test_openai_chat import HELLO, fold

CLIENT = "oai"


def make_client(stack, retries=0, **more):
    return openai.OpenAI(
        **{
            "base_url": stack.openai_url,
            "api_key": stacks.CLIENT_KEY,
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
    return client.chat.completions.create(
        model=case.model(upstream, "fake-text", fault), messages=HELLO, **more
    )


def assert_error_shape(error):
    """OpenAI's error object has its four keys, always."""
    assert set(error.body) >= {"message", "type", "param", "code"}
    assert error.body["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_not_found(client, case, stream):
    case.refusals_expected = True
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="no-such-model", messages=HELLO, stream=stream)
    assert_error_shape(raised.value)
    assert raised.value.code == "model_not_found"


@pytest.mark.weir
def test_an_unknown_model_names_the_nearest(client, case):
    with pytest.raises(openai.NotFoundError, match="oai-plain-model"):
        client.chat.completions.create(model="oai-plane-model", messages=HELLO)


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_provider_calls_bad_is_a_bad_request(client, case, upstream, stream):
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, case, upstream, "status=400", stream=stream)
    assert_error_shape(raised.value)
    assert "told to answer 400" in raised.value.message
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id
    assert len(case.records()) == 1


def test_a_prompt_that_does_not_fit_has_its_own_code(client, case, upstream):
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, case, upstream, "context-length")
    assert raised.value.code == "context_length_exceeded"
    assert_error_shape(raised.value)


@pytest.mark.weir
def test_a_wrong_key_of_weirs_form_is_refused(stack, case):
    with (
        make_client(stack, api_key="wk_0000000000000000") as client,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        ask(client, case, "oai", "")
    assert_error_shape(raised.value)
    assert raised.value.code == "invalid_api_key"
    assert case.records() == []


@pytest.mark.weir
def test_the_providers_refusal_of_weirs_key_is_not_the_callers_fault(client, case, upstream):
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client, case, upstream, "status=401")
    assert raised.value.status_code == 502
    assert_error_shape(raised.value)
    assert raised.value.code == "upstream_auth"
    assert stacks.OPENAI_KEY not in raised.value.message


def test_a_rate_limit_says_how_long_to_wait(client, case, upstream):
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client, case, upstream, "status=429;retry-after=12")
    assert_error_shape(raised.value)
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 12


def test_spent_money_is_a_rate_limit_that_is_not_retried_upstream(client, case, upstream):
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client, case, upstream, "quota")
    assert_error_shape(raised.value)
    if upstream == "oai":
        assert raised.value.code == "insufficient_quota"
        assert len(case.records()) == 1


@pytest.mark.parametrize("fault", ["status=500", "status=503", "status=529", "html=502", "cut-before-head"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_outage_is_an_error_of_the_server(client, case, upstream, fault, stream):
    wanted = openai.InternalServerError
    if case.stack.direct and fault == "cut-before-head":
        wanted = openai.APIConnectionError
    with pytest.raises(wanted) as raised:
        ask(client, case, upstream, fault, stream=stream)
    if not case.stack.direct:
        assert_error_shape(raised.value)
        assert raised.value.status_code in (502, 503)
        assert len(raised.value.message) < 500  # of a proxy's page only the beginning


@pytest.mark.weir
@pytest.mark.parametrize("fault", ["empty-body", "cut-after-head", "cut-after-events=1"])
def test_half_an_answer_is_an_error(client, case, upstream, fault):
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client, case, upstream, fault)
    assert_error_shape(raised.value)


@pytest.mark.parametrize(
    "fault",
    [
        "status=429;retry-after=1",
        "status=429;retry-after-ms=300",
        "status=500",
        "status=503",
        "status=529",
        "cut-before-head",
        "html=502",
    ],
)
def test_a_passing_fault_is_overcome(stack, case, upstream, fault):
    with make_client(stack, retries=2) as client:
        started = time.monotonic()
        answer = ask(client, case, upstream, f"{fault};times=1")
    assert answer.choices[0].message.content == "Echo: Hello there, friend"
    assert len(case.records()) == 2
    if "retry-after=1" in fault:
        assert time.monotonic() - started >= 0.9
    if "retry-after-ms=300" in fault:
        assert time.monotonic() - started >= 0.25


def test_a_passing_fault_before_the_stream_is_overcome(stack, case, upstream):
    with make_client(stack, retries=2) as client:
        folded = fold(ask(client, case, upstream, "status=500;times=2", stream=True))
    assert folded["text"] == "Echo: Hello there, friend"
    assert len(case.records()) == 3


@pytest.mark.weir
def test_a_long_wait_tells_the_client_not_to_retry(client, case, upstream):
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client, case, upstream, "status=429;retry-after=3600")
    assert raised.value.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("fault", ["cut-after-events=4", "error-event-after=4"])
def test_a_stream_that_breaks_raises_after_what_was_said(client, case, upstream, fault):
    text = ""
    with pytest.raises(Exception) as raised:
        for chunk in ask(client, case, upstream, fault, stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    assert text.startswith("Echo:") and len(text) < len("Echo: Hello there, friend")
    if not case.stack.direct:
        assert isinstance(raised.value, openai.APIError)
        assert raised.value.message


@pytest.mark.parametrize("fault", ["cut-after-events=1", "cut-after-head", "error-event-after=1"])
@pytest.mark.weir
def test_a_stream_that_breaks_before_any_content_is_a_plain_error(client, case, upstream, fault):
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client, case, upstream, fault, stream=True)
    assert_error_shape(raised.value)


@pytest.mark.weir
def test_a_stream_that_broke_before_any_content_is_tried_again(client, case, upstream):
    folded = fold(ask(client, case, upstream, "cut-after-head;times=1", stream=True))
    assert folded["text"] == "Echo: Hello there, friend"
    assert len(case.records()) == 2


@pytest.mark.weir
def test_a_stream_without_its_finish_is_not_a_success(client, case, upstream):
    with pytest.raises(openai.APIError):
        fold(ask(client, case, upstream, "no-finish;no-done", stream=True))


def test_a_stream_with_its_finish_but_without_its_last_mark_is_complete(client, case, upstream):
    folded = fold(ask(client, case, upstream, "no-done", stream=True))
    assert (folded["text"], folded["finish"]) == ("Echo: Hello there, friend", "stop")


def test_an_event_that_is_no_json_breaks_the_stream(client, case, upstream):
    with pytest.raises(Exception) as raised:
        fold(ask(client, case, upstream, "bad-json-event", stream=True))
    if not case.stack.direct and upstream == "ant":
        assert isinstance(raised.value, openai.APIError)


def wait_gone(case, seconds=1.0):
    """Waits until the fake saw its peer leave; gives after how many ms of the request that was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        records = case.records()
        if records and records[0]["client_gone_ms"] is not None:
            return records[0]["client_gone_ms"]
        time.sleep(0.02)
    raise AssertionError(f"the provider still works for a client that left: {case.story()}")


def test_leaving_a_stream_ends_the_providers_work(client, case, upstream):
    stream = client.chat.completions.create(
        model=case.model(upstream, "fake-slow"), messages=HELLO, stream=True
    )
    for count, _ in enumerate(stream):
        if count == 3:
            break
    stream.close()
    assert wait_gone(case) < 5000


def test_a_timeout_of_the_client_ends_the_providers_work(client, case, upstream):
    # The SDK tells the server its timeout, which then may be the first to give up: it is told another one.
    told = {"x-stainless-timeout": "30"}
    with pytest.raises(openai.APITimeoutError):
        model = case.model(upstream, "fake-slow")
        client.chat.completions.create(model=model, messages=HELLO, timeout=0.5, extra_headers=told)
    assert 300 < wait_gone(case) < 2000


def test_a_silent_stream_times_out_at_the_client(client, case, upstream):
    with pytest.raises((openai.APITimeoutError, httpx.TimeoutException)):  # the latter before SDK 3
        fold(ask(client, case, upstream, "stall-after-events=4;stall-ms=5000", stream=True, timeout=0.5))
    assert wait_gone(case) < 3000
