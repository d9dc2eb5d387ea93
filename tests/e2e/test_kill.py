"""Kill tests: a provider that dies, and a Weir that is killed, at every moment of a call.

Whatever dies and whenever, each client call ends soon, with an answer or with an error of its SDK. The
provider's faults are met in each combination of client dialect, provider dialect, whole and streamed; the
processes are killed in cycles: 25 by default, WEIR_KILL_CYCLES for more.
"""

import concurrent.futures
import itertools
import os
import signal
import sys
import threading
import time
import uuid

import anthropic
import httpx
import httpx2
import openai
import pytest
import stack as stacks

pytestmark = pytest.mark.weir

CYCLES = int(os.environ.get("WEIR_KILL_CYCLES", "25"))
CALL_SECONDS = 20  # a call that takes longer hangs
HELLO = [{"role": "user", "content": "Hello there, friend of the river and of the weir"}]
ECHO = "Echo: Hello there, friend of the river and of the weir"
CALLS = list(itertools.product(["oai", "ant"], ["oai", "ant"], [False, True]))  # client, provider, streamed
SDK_ERRORS = (openai.APIError, anthropic.APIError)
# A connection that is cut in mid-stream is the transport's error: the SDKs hand it on as it is.
TRANSPORT_ERRORS = (httpx.TransportError, httpx2.TransportError)


class Call:
    """One call by an SDK. `text` grows as it streams; `began` is set with its first piece."""

    def __init__(self, stack, client, model, stream):
        self.stack, self.client, self.model, self.stream = stack, client, model, stream
        self.text = ""
        self.began = threading.Event()

    def __str__(self):
        return f"{self.client} client, {self.model}, {'streamed' if self.stream else 'whole'}"

    def run(self):
        """Gives the text of the whole answer. Raises what the SDK raises."""
        (self.ask_openai if self.client == "oai" else self.ask_anthropic)()
        return self.text

    def ask_openai(self):
        with openai.OpenAI(
            base_url=self.stack.openai_url,
            api_key=stacks.CLIENT_KEY,
            timeout=CALL_SECONDS,
            max_retries=0,
        ) as client:
            answer = client.chat.completions.create(model=self.model, messages=HELLO, stream=self.stream)
            if not self.stream:
                self.text = answer.choices[0].message.content
                return
            finished = False
            for chunk in answer:
                for choice in chunk.choices:
                    self.take(choice.delta.content)
                    finished = finished or choice.finish_reason is not None
            assert finished, f"{self}: the stream ended as if all were well"

    def ask_anthropic(self):
        with anthropic.Anthropic(
            base_url=self.stack.anthropic_url,
            api_key="sk-ant-fake-client",
            timeout=CALL_SECONDS,
            max_retries=0,
        ) as client:
            answer = client.messages.create(
                model=self.model, messages=HELLO, max_tokens=200, stream=self.stream
            )
            if not self.stream:
                self.text = answer.content[0].text
                return
            finished = False
            for event in answer:
                if event.type == "content_block_delta":
                    self.take(event.delta.text)
                finished = finished or event.type == "message_stop"
            assert finished, f"{self}: the stream ended as if all were well"

    def take(self, piece):
        if piece:
            self.text += piece
            self.began.set()


class KillableStack(stacks.Stack):
    """A stack whose processes come back at the same addresses after they were killed."""

    def __init__(self):
        super().__init__(direct=False)
        self.starts = itertools.count()
        self.listen = f"127.0.0.1:{self.weir.ready['url'].rsplit(':', 1)[1]}"

    @staticmethod
    def kill(process):
        process.child.send_signal(signal.SIGKILL)
        assert process.child.wait(10) == -signal.SIGKILL
        process.log.close()

    def start_fake(self):
        ports = [url.removesuffix("/v1").rsplit(":", 1)[1] for url in self.fake_urls]
        command = [sys.executable, stacks.ROOT / "tests/e2e/fake_provider.py"]
        command += ["--openai-port", ports[0], "--anthropic-port", ports[1]]
        self.fake = stacks.Process(f"fake-{next(self.starts)}", self.folder, command)

    @property
    def fake_urls(self):
        return [self.fake_openai_url, self.fake_anthropic_url]

    def restart_weir(self):
        self.start_weir(self.listen, f"weir-{next(self.starts)}")


@pytest.fixture(scope="module")
def stack():
    """A stack of this file's own in place of the session's: the tests here kill it."""
    running = KillableStack()
    yield running
    code = running.stop()
    assert code == 0, f"weir ended with {code}:\n{running.weir.log_tail()}"


def wait_for(condition, what):
    end = time.monotonic() + CALL_SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def start(pool, calls):
    return [(call, pool.submit(call.run)) for call in calls]


def outcome(call, future, more=()):
    """The text of a call, or its SDK's error (or one of `more`). All else fails the test, a hang too."""
    try:
        return future.result(timeout=CALL_SECONDS + 5)
    except (openai.APITimeoutError, anthropic.APITimeoutError) as error:
        raise AssertionError(f"{call} did not end in time") from error
    except (*SDK_ERRORS, *more) as error:
        return error


def assert_is_broken(call, found):
    """The provider died for good: an error, and before it nothing but the start of the answer."""
    assert isinstance(found, SDK_ERRORS), f"{call} got {found!r}"
    assert ECHO.startswith(call.text), f"{call} got {call.text!r}"


BEFORE, AT, AFTER = "before the first event", "at the first event", "after the first event"
MOMENTS = [BEFORE, AT, AFTER]
FAULTS = [
    (BEFORE, "cut-before-head"),
    (BEFORE, "cut-after-head"),
    (AT, "cut-after-events=1"),
    (AFTER, "cut-after-events=6"),
]


@pytest.mark.parametrize("moment, fault", FAULTS, ids=[fault for _, fault in FAULTS])
@pytest.mark.parametrize("client, provider, stream", CALLS)
def test_a_provider_that_hangs_up_is_an_error_of_the_sdk(
    stack, case, client, provider, stream, moment, fault
):
    call = Call(stack, client, case.model(provider, "fake-text", fault), stream)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        found = outcome(*start(pool, [call])[0])
    assert_is_broken(call, found)
    assert call.began.is_set() == (stream and moment == AFTER), call.text
    if not call.began.is_set():
        assert found.status_code >= 500, "before the first event there is a real status"


@pytest.mark.parametrize("client, provider, stream", CALLS)
def test_a_provider_that_hangs_up_once_is_asked_again(stack, case, client, provider, stream):
    for fault in ("cut-before-head", "cut-after-head", "cut-after-events=1"):
        again = type(case)(stack)  # each fault is a test of its own to the fake
        model = again.model(provider, "fake-text", f"{fault};times=1")
        assert Call(stack, client, model, stream).run() == ECHO


def stalls(moment, upstream):
    """The fault that holds an answer back at a moment, long enough to be killed there."""
    if moment == BEFORE:
        return "stall-ms=60000"
    # The first content: after a chunk with the role; after message_start, content_block_start and ping.
    first = 2 if upstream == "oai" else 4
    return f"stall-ms=60000;stall-after-events={first if moment == AT else first + 2}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_provider_that_is_killed_ends_every_call(stack, moment):
    """One cycle in three is of this moment. All calls are under way when the provider's process dies."""
    for cycle in range(len(range(MOMENTS.index(moment), CYCLES, len(MOMENTS)))):
        if cycle and cycle % 20 == 0:  # breakers remember failures: give them a new start
            stack.kill(stack.weir)
            stack.restart_weir()
        test_id = uuid.uuid4().hex[:12]
        calls = []
        for number, (client, upstream, stream) in enumerate(CALLS):
            fault = stalls(moment if stream else BEFORE, upstream)
            lane = (cycle * len(CALLS) + number) % stacks.LANES
            calls.append(Call(stack, client, f"{upstream}-f{lane:03}/fake-text~{test_id}!{fault}", stream))
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            running = start(pool, calls)
            wait_for(lambda: len(stack.records(test_id)) >= len(calls), "not every call came to the provider")
            for call in calls:
                if call.stream and moment != BEFORE:
                    assert call.began.wait(CALL_SECONDS), f"{call}: no event"
            stack.kill(stack.fake)
            for call, future in running:
                assert_is_broken(call, outcome(call, future))
        stack.start_fake()
        assert stack.weir.child.poll() is None, stack.weir.log_tail()
        for client, upstream, stream in CALLS:
            assert Call(stack, client, f"{upstream}/fake-text", stream).run() == ECHO, "all is as before"


def keep_asking(stack, client, upstream, stream, stop):
    """Asks until it is told to stop; gives how many answers and errors there were."""
    answers = errors = 0
    while not stop.is_set():
        call = Call(stack, client, f"{upstream}/fake-text", stream)
        future = concurrent.futures.Future()
        try:
            future.set_result(call.run())
        except Exception as error:  # outcome() judges it
            future.set_exception(error)
        found = outcome(call, future, more=TRANSPORT_ERRORS)
        if found == ECHO:
            answers += 1
            continue
        assert isinstance(found, Exception), f"{call} got {found!r}"
        assert ECHO.startswith(call.text), f"{call} got {call.text!r}"
        errors += 1
        time.sleep(0.02)  # nobody listens while Weir is away
    return answers, errors


def test_a_weir_that_is_killed_under_load_comes_back_at_the_same_address(stack):
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(CALLS)) as pool:
        running = [pool.submit(keep_asking, stack, *call, stop) for call in CALLS]
        try:
            for _ in range(CYCLES):
                time.sleep(0.1)  # load
                stack.kill(stack.weir)
                stack.restart_weir()
                for client, upstream, stream in CALLS[:2]:
                    assert Call(stack, client, f"{upstream}/fake-text", stream).run() == ECHO
        finally:
            stop.set()
        counts = [future.result(timeout=CALL_SECONDS + 5) for future in running]
    assert all(answers > 0 for answers, _ in counts), counts
    print(f"{CYCLES} kills: {sum(a for a, _ in counts)} answers, {sum(e for _, e in counts)} errors")
