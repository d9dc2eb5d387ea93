"""Fallback between providers, hot reload and a drained shutdown, seen by a client. All of it needs Weir."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest
import stack as stacks

pytestmark = pytest.mark.weir

HELLO = [{"role": "user", "content": "Hello there, friend"}]
ECHO = "Echo: Hello there, friend"


@pytest.fixture(scope="module")
def stack():
    """A stack of this file's own in place of the session's: the tests here change and end it."""
    running = stacks.Stack(direct=False)
    yield running
    running.stop()


def ask(stack, model, **more):
    body = {"model": model, "messages": HELLO, **more}
    return httpx.post(f"{stack.openai_url}/chat/completions", json=body, timeout=30)


def text_of(stack, model, ready=None):
    """The text of a stream; `ready` is set once its first line is here."""
    body, text = {"model": model, "messages": HELLO, "stream": True}, ""
    with httpx.stream("POST", f"{stack.openai_url}/chat/completions", json=body, timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if ready:
                ready.set()
            if line.startswith("data: {"):
                value = json.loads(line[6:])
                assert "error" not in value, value
                text += "".join(choice["delta"].get("content") or "" for choice in value["choices"])
            elif line == "data: [DONE]":
                return text
    raise AssertionError(f"the stream ended without its last mark after {text!r}")


def start_slow_stream(stack, case):
    """A stream under way that needs 1.5 s more; gives a function that waits for its text."""
    ready, texts = threading.Event(), []
    model = f"oai/fake-text~{case.id}!stall-after-events=4;stall-ms=1500"
    thread = threading.Thread(target=lambda: texts.append(text_of(stack, model, ready)))
    thread.start()
    assert ready.wait(10)

    def finish():
        thread.join(20)
        return texts[0] if texts else None

    return finish


@pytest.mark.parametrize("stream", [False, True])
def test_a_dead_provider_is_replaced_by_the_next(stack, case, stream):
    model = f"fake-dead-then-ant/fake-text~{case.id}"
    if stream:
        assert text_of(stack, model) == ECHO
        return
    answer = ask(stack, model)
    assert answer.json()["choices"][0]["message"]["content"] == ECHO
    assert answer.headers["x-weir-provider"] == "fake-ant"
    assert int(answer.headers["x-weir-attempts"]) >= 2


@pytest.mark.parametrize(
    "lane, fault, times",
    [
        (0, "status=500", 2),
        (1, "status=429;retry-after=600", 1),
        (2, "context-length", 1),
        (3, "cut-after-head", 2),
    ],
)
def test_a_failing_provider_is_replaced_before_the_stream_begins(stack, case, lane, fault, times):
    # Both providers are asked under one name, so the fault is the first `times` attempts' only.
    text = text_of(stack, f"fake-oai-f{lane:03}-then-ant/fake-text~{case.id}!{fault};times={times}")
    assert text == ECHO
    assert [record["port"] for record in case.records()] == ["openai"] * times + ["anthropic"]


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def test_a_reload_adds_a_model_and_drops_no_stream(stack, case):
    path = stack.folder / "weir.yaml"
    config = json.loads(path.read_text())
    finish = start_slow_stream(stack, case)
    assert ask(stack, "brand-new-model").status_code == 404
    config["routes"].append(
        {"model": "brand-new-model", "targets": [{"provider": "fake-oai", "model": "fake-text"}]}
    )
    path.write_text(json.dumps(config))
    stack.weir.child.send_signal(signal.SIGHUP)
    wait_for(lambda: ask(stack, "brand-new-model").status_code == 200)
    assert finish() == ECHO


def metrics_of(stack):
    return httpx.get(stack.weir.ready["admin_url"] + "/metrics", timeout=10).text


def failed_reloads(stack):
    return int(re.search(r"^weir_config_reload_failures_total (\d+)$", metrics_of(stack), re.M)[1])


def write_unseen(path, text):
    """Changes a file in a way that the watch, which looks at times and sizes, cannot see."""
    before = path.stat()
    assert len(text.encode()) == before.st_size
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_signal_reloads(stack, case):
    add_route(stack, model="seen-before", targets=[{"provider": "fake-oai", "model": "fake-text"}])
    wait_for(lambda: ask(stack, "seen-before").status_code == 200)
    path = stack.folder / "weir.yaml"
    write_unseen(path, path.read_text().replace("seen-before", "by-a-signal"))
    time.sleep(1.5)  # three looks of the watch
    assert ask(stack, "by-a-signal").status_code == 404
    stack.weir.child.send_signal(signal.SIGHUP)
    wait_for(lambda: ask(stack, "by-a-signal").status_code == 200)


def test_a_bad_file_changes_nothing(stack, case):
    path = stack.folder / "weir.yaml"
    good = path.read_text()
    before = failed_reloads(stack)
    path.write_text(good[: len(good) // 2])
    stack.weir.child.send_signal(signal.SIGHUP)
    wait_for(lambda: failed_reloads(stack) > before)
    assert ask(stack, f"oai/fake-text~{case.id}").status_code == 200
    path.write_text(good)
    stack.weir.child.send_signal(signal.SIGHUP)
    wait_for(lambda: ask(stack, "oai-plain-model").status_code == 200)


def test_a_file_that_the_new_configuration_lacks_is_waited_for(stack, case, tmp_path):
    path = stack.folder / "weir.yaml"
    good = path.read_text()
    config, key = json.loads(good), tmp_path / "late.key"
    late = {"name": "late", "kind": "openai", "base_url": stack.fake.ready["openai_url"]}
    config["providers"].append({**late, "keys": [{"file": str(key)}]})
    config["routes"].append({"model": "late", "targets": [{"provider": "late", "model": "fake-text"}]})
    before = failed_reloads(stack)
    path.write_text(json.dumps(config))
    wait_for(lambda: failed_reloads(stack) > before)
    key.write_text(stacks.OPENAI_KEY)
    wait_for(lambda: ask(stack, "late").status_code == 200)
    path.write_text(good)
    wait_for(lambda: ask(stack, "late").status_code == 404)


def add_route(stack, **route):
    path = stack.folder / "weir.yaml"
    config = json.loads(path.read_text())
    config["routes"].append(route)
    path.write_text(json.dumps(config))


def test_a_changed_file_is_taken_without_a_signal(stack, case):
    assert 'weir_worker_up{worker="config_watch"} 1' in metrics_of(stack)
    add_route(stack, model="unsignalled", targets=[{"provider": "fake-oai", "model": "fake-text"}])
    wait_for(lambda: ask(stack, "unsignalled").status_code == 200)


@pytest.mark.parametrize(("policy", "source"), [("drain", "provider"), ("cancel", "partial")])
def test_what_a_client_that_hangs_up_has_used_is_known(stack, case, policy, source):
    """With `drain` the answer is read to its end, and the provider states its usage there."""
    target = {"provider": "fake-oai", "model": "*"}
    add_route(stack, model=f"{policy}s/*", on_client_gone=policy, targets=[target])
    stack.weir.child.send_signal(signal.SIGHUP)
    wait_for(lambda: ask(stack, f"{policy}s/fake-text").status_code == 200)
    since = stack.weir.log_size()
    model = f"{policy}s/fake-text~{case.id}!stall-after-events=4;stall-ms=1500"
    body = {"model": model, "messages": HELLO, "stream": True}
    with httpx.stream("POST", f"{stack.openai_url}/chat/completions", json=body, timeout=30) as answer:
        assert answer.status_code == 200
        next(answer.iter_lines())

    def line():
        for text in stack.weir.log_tail(since=since).splitlines():
            if case.id in text and '"request_id"' in text:
                return json.loads(text)
        return None

    wait_for(line)
    assert line()["error"] == "cancelled"
    assert line()["usage"]["source"] == source


def test_a_call_that_nobody_waited_for_is_estimated(stack, case):
    """Of a provider that works on nothing is known but what it was asked."""
    since = stack.weir.log_size()
    body = {"model": f"oai/fake-text~{case.id}!stall-ms=1500", "messages": HELLO}
    headers = {"x-weir-timeout-ms": "300"}
    answer = httpx.post(f"{stack.openai_url}/chat/completions", json=body, headers=headers, timeout=30)
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "timeout"

    def lines():
        return [json.loads(text) for text in stack.weir.log_tail(since=since).splitlines() if case.id in text]

    wait_for(lines)
    assert [line["blame"] for line in lines()] == ["caller"]
    usage = lines()[0]["usage"]
    assert usage.pop("in_uncached") > 0
    assert usage == {"source": "estimated", "out_text": 0}


def test_a_terminated_weir_finishes_its_streams_and_ends_well(stack, case):
    case.weir_may_end = True
    finish = start_slow_stream(stack, case)
    stack.weir.child.send_signal(signal.SIGTERM)
    time.sleep(0.3)  # while it drains, its metrics are all there
    metrics = metrics_of(stack)
    assert "weir_exchanges_open 1" in metrics
    assert "weir_rss_bytes" in metrics
    assert finish() == ECHO
    assert stack.weir.child.wait(10) == 0, stack.weir.log_tail()
    with pytest.raises(httpx.ConnectError):
        ask(stack, "oai-plain-model")


@pytest.fixture
def own(case):
    """A stack of one test that ends it."""
    case.weir_may_end = True
    running = stacks.Stack(direct=False)
    yield running
    running.stop()


def test_the_ready_file_is_there_while_weir_serves(own):
    assert own.weir.ready_path.exists()
    own.weir.child.send_signal(signal.SIGTERM)
    assert own.weir.child.wait(10) == 0, own.weir.log_tail()
    assert not own.weir.ready_path.exists()


def test_a_ready_file_of_another_run_or_a_full_disk_is_not_taken_for_one(case, tmp_path):
    case.weir_may_end = True  # this file's own stack has ended before
    ready = tmp_path / "ready"
    ready.write_text("{}")
    (tmp_path / "ready.new").symlink_to("/dev/full")
    line = [stacks.weir_binary(), "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    line += ["--data-dir", tmp_path / "data", "--ready-file", ready]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"the ready file {ready} cannot be written: No space left on device" in done.stderr
    assert not ready.exists()


def test_the_configuration_is_given_without_an_option_too(case, tmp_path):
    case.weir_may_end = True  # this file's own stack has ended before
    config = tmp_path / "weir.yaml"
    config.write_text("routes: [{model: own, targets: [{provider: weir, model: extract}]}]\n")
    line = [stacks.weir_binary(), "serve", config, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    weir = stacks.Process("positional", tmp_path, [*line, "--data-dir", tmp_path / "data"])
    try:
        models = httpx.get(weir.ready["url"] + "/v1/models", timeout=10).json()["data"]
        assert "own" in {model["id"] for model in models}
    finally:
        assert weir.stop() == 0, weir.log_tail()


def test_a_second_signal_ends_it_at_once(own, case):
    model = f"oai/fake-text~{case.id}!stall-after-events=4;stall-ms=20000"
    body = {"model": model, "messages": HELLO, "stream": True}
    with httpx.stream("POST", f"{own.openai_url}/chat/completions", json=body, timeout=30) as answer:
        lines = answer.iter_lines()
        next(lines)
        began = time.monotonic()
        own.weir.child.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert own.weir.child.poll() is None, "it waits for the stream"
        own.weir.child.send_signal(signal.SIGTERM)
        assert own.weir.child.wait(10) == 0, own.weir.log_tail()
        assert time.monotonic() - began < 9
    ends = [json.loads(line) for line in own.weir.log_tail().splitlines() if '"end_reason"' in line]
    assert [line["end_reason"] for line in ends if case.id in line["model"]] == ["shutdown"]


def test_servers_take_turns_at_a_data_directory(own, case):
    """A second one is refused; the next one need not wait for the last stream of one that drains."""
    first = own.weir
    with pytest.raises(RuntimeError) as refused:
        own.start_weir(name="second")
    assert "ended with 1:" in str(refused.value)
    assert f"another Weir (process {first.child.pid})" in str(refused.value)
    finish = start_slow_stream(own, case)
    first.child.send_signal(signal.SIGTERM)
    wait_for(lambda: httpx.get(f"{first.ready['admin_url']}/readyz").status_code == 503)
    own.start_weir(name="next")
    assert first.child.poll() is None, "it drains"
    assert ask(own, f"oai/fake-text~{case.id}").status_code == 200
    assert finish() == ECHO
    assert first.child.wait(10) == 0, first.log_tail()


def test_the_access_log_follows_a_rotation(case, tmp_path):
    """logrotate moves the file away and sends SIGHUP."""
    case.weir_may_end = True  # this file's own stack has ended before
    log = tmp_path / "access.log"
    own = stacks.Stack(direct=False, server={"access_log": str(log)})
    try:
        assert ask(own, f"oai/fake-text~{case.id}").status_code == 200
        wait_for(lambda: log.exists() and case.id in log.read_text())
        log.rename(tmp_path / "access.log.1")
        own.weir.child.send_signal(signal.SIGHUP)
        wait_for(log.exists)
        assert ask(own, f"oai/fake-text~{case.id}").status_code == 200
        wait_for(lambda: case.id in log.read_text())
    finally:
        own.stop()
