"""The official OpenAI SDK beyond text: moderations, sound and images, whose bodies pass through Weir as bytes."""

import base64
import hashlib
import io
import json
import time

import httpx
import openai
import pytest
import stack as stacks
from fake import opaque_dialect
from test_openai_errors import make_client

CLIENT = "oai"
EIGHT_MB = 8 << 20


@pytest.fixture
def client(stack):
    with make_client(stack, retries=0) as made:
        yield made


def sound(size):
    """Bytes in which nothing repeats early, with line ends and dashes among them."""
    seed = hashlib.sha256(str(size).encode()).digest()
    return (seed * (size // 64 + 1) + b"\r\n--" * (size // 8 + 1))[:size]


def wanted(data):
    return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:16]}"


def peak_kb(stack):
    status = open(f"/proc/{stack.weir.child.pid}/status").read()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def reset_peak(stack):
    with open(f"/proc/{stack.weir.child.pid}/clear_refs", "w") as file:
        file.write("5")


def file_first(boundary, model, data):
    """A form as SDKs write it that send the file before the model, in pieces."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    field = f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n--{boundary}--\r\n'
    return [head.encode(), *(data[at : at + 65536] for at in range(0, len(data), 65536)), field.encode()]


def test_texts_are_moderated(client, case):
    answer = client.moderations.create(model=case.model("oai", "fake-opaque"), input=["a weir", "a flood"])
    assert [result.flagged for result in answer.results] == [False, True]
    assert case.bodies()[0]["input"] == ["a weir", "a flood"]


@pytest.mark.weir
def test_an_answer_carries_the_headers_of_weir(client, case):
    raw = client.moderations.with_raw_response.create(model=case.model("oai", "fake-opaque"), input="x")
    assert raw.headers["x-weir-model"].startswith("fake-opaque~")
    assert raw.headers["x-weir-provider"] == "fake-oai"
    assert raw.headers["x-request-id"].startswith("req_")
    assert "openai-organization" not in raw.headers and "set-cookie" not in raw.headers


def test_speech_comes_as_bytes_of_its_type(client, case):
    asked = {"model": case.model("oai", "fake-opaque"), "voice": "alloy", "input": "A weir is a low dam."}
    with client.audio.speech.with_streaming_response.create(**asked) as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        assert b"".join(answer.iter_bytes(1024)) == opaque_dialect.SOUND
    assert client.audio.speech.create(**asked).content == opaque_dialect.SOUND


def test_speech_comes_as_events(client, case):
    asked = {"model": case.model("oai", "fake-opaque"), "voice": "alloy", "input": "x", "stream_format": "sse"}
    with client.audio.speech.with_streaming_response.create(**asked) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert base64.b64decode("".join(one.get("audio", "") for one in events)) == opaque_dialect.SOUND
    assert events[-1]["usage"]["total_tokens"] == 115


@pytest.mark.parametrize("size", [1, 100_000, EIGHT_MB])
def test_sound_is_transcribed(client, case, size):
    data = sound(size)
    answer = client.audio.transcriptions.create(
        model=case.model("oai", "fake-opaque"), file=("a.wav", data, "audio/wav"), language="en"
    )
    assert answer.text == wanted(data)
    assert answer.usage.total_tokens == 59


def test_a_transcription_comes_as_events(client, case):
    data = sound(300_000)
    stream = client.audio.transcriptions.create(
        model=case.model("oai", "fake-opaque"), file=("a.wav", data), stream=True
    )
    events = list(stream)
    assert events[-1].type == "transcript.text.done" and events[-1].text == wanted(data)
    assert "".join(one.delta for one in events[:-1]).strip() == wanted(data)


def test_a_transcription_comes_as_text(client, case):
    answer = client.audio.transcriptions.create(
        model=case.model("oai", "fake-opaque"), file=("a.wav", b"x"), response_format="text"
    )
    assert answer.strip() == wanted(b"x")


def test_sound_is_translated(client, case):
    answer = client.audio.translations.create(
        model=case.model("oai", "fake-opaque"), file=("a.wav", sound(1000))
    )
    assert answer.text == wanted(sound(1000))


@pytest.mark.parametrize("size", [1, 200_000, EIGHT_MB])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_the_model_may_come_behind_the_file(http, case, size, chunked):
    data = sound(size)
    parts = file_first("b0undary", case.model("oai", "fake-opaque"), data)
    answer = http.post(
        "/v1/audio/transcriptions",
        content=iter(parts) if chunked else b"".join(parts),
        headers={"content-type": "multipart/form-data; boundary=b0undary"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == wanted(data)
    headers = {name.lower() for name, _ in case.records()[0]["headers"]}
    assert "content-length" in headers or chunked


@pytest.mark.weir
@pytest.mark.parametrize("where", ["header", "query"])
def test_the_model_may_be_named_beside_the_form(http, case, where):
    data, model = sound(EIGHT_MB), case.model("oai", "fake-opaque")
    headers = {"content-type": "multipart/form-data; boundary=b0undary"}
    answer = http.post(
        "/v1/audio/transcriptions",
        content=b"".join(file_first("b0undary", "whatever", data)),
        headers=headers | ({"x-weir-model": model} if where == "header" else {}),
        params={"model": model} if where == "query" else {},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == wanted(data)


@pytest.mark.weir
def test_a_file_that_streams_through_takes_no_memory(client, stack, case):
    data = sound(48 << 20)
    asked = {"model": case.model("oai", "fake-opaque"), "file": ("a.wav", data)}
    client.audio.transcriptions.create(**asked)
    reset_peak(stack)
    before = peak_kb(stack)
    assert client.audio.transcriptions.create(**asked).text == wanted(data)
    grown = peak_kb(stack) - before
    print(f"a form of 48 MiB grew the peak by {grown} KiB")
    assert grown < 8 << 10


@pytest.mark.weir
def test_a_file_before_the_model_is_held_up_to_a_limit(http, case):
    data = b"x" * (40 << 20)
    answer = http.post(
        "/v1/audio/transcriptions",
        content=b"".join(file_first("b0undary", case.model("oai", "fake-opaque"), data)),
        headers={"content-type": "multipart/form-data; boundary=b0undary"},
    )
    assert answer.status_code == 413
    assert "put the field `model` before the file" in answer.json()["error"]["message"]
    assert case.records() == []


@pytest.mark.weir
def test_two_models_in_a_form_are_refused(http, case):
    model = case.model("oai", "fake-opaque")
    field = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
    answer = http.post(
        "/v1/audio/transcriptions",
        content=f"{field}{model}\r\n{field}other\r\n--b--\r\n",
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model")
    assert case.records() == []


def test_an_image_is_made(client, case):
    answer = client.images.generate(model=case.model("oai", "fake-opaque"), prompt="a weir", n=8)
    assert [one.b64_json for one in answer.data] == [opaque_dialect.IMAGE] * 8
    assert answer.usage.output_tokens == 272


def test_an_image_comes_as_events(client, case):
    stream = client.images.generate(
        model=case.model("oai", "fake-opaque"), prompt="a weir", stream=True, partial_images=1
    )
    events = list(stream)
    assert [one.type for one in events] == ["image_generation.partial_image", "image_generation.completed"]
    assert events[-1].b64_json == opaque_dialect.IMAGE and events[-1].usage.input_tokens == 50


def test_images_are_edited(client, case):
    answer = client.images.edit(
        model=case.model("oai", "fake-opaque"),
        prompt="add a fish",
        image=("a.png", io.BytesIO(sound(600_000)), "image/png"),
        mask=("m.png", b"mask", "image/png"),
    )
    assert answer.data[0].b64_json == opaque_dialect.IMAGE


def test_an_image_is_varied(client, case):
    answer = client.images.create_variation(
        model=case.model("oai", "fake-opaque"), image=("a.png", b"image", "image/png")
    )
    assert answer.data[0].b64_json == opaque_dialect.IMAGE


@pytest.mark.weir
def test_a_provider_without_the_endpoint_is_a_plain_refusal(client, case):
    with pytest.raises(openai.BadRequestError) as raised:
        client.audio.transcriptions.create(model=case.model("ant", "fake-opaque"), file=("a", b"x"))
    assert "fake-ant has no endpoint for transcription" in raised.value.body["message"]
    assert case.records() == []


@pytest.mark.weir
def test_a_small_form_is_sent_again_where_a_provider_fails(client, case):
    answer = client.audio.transcriptions.create(
        model=case.model("oai", "fake-opaque", "status=500;times=1"), file=("a", sound(1000))
    )
    assert answer.text == wanted(sound(1000)) and len(case.records()) == 2


@pytest.mark.weir
def test_a_large_form_falls_back_where_a_provider_cannot_be_reached(client, case):
    data = sound(EIGHT_MB)
    model = case.model("oai", "fake-opaque").replace("oai/", "fake-dead-then-oai/")
    raw = client.audio.transcriptions.with_raw_response.create(model=model, file=("a", data))
    assert raw.parse().text == wanted(data)
    assert raw.headers["x-weir-provider"] == "fake-oai"


@pytest.mark.weir
def test_a_large_form_is_not(client, case):
    case.refusals_expected = True
    with pytest.raises(openai.InternalServerError) as raised:
        client.audio.transcriptions.create(
            model=case.model("oai", "fake-opaque", "status=500;times=1"), file=("a", sound(EIGHT_MB))
        )
    message = raised.value.body["message"]
    assert "told to answer 500" in message and "no other attempt was made" in message
    assert len(case.records()) == 1


@pytest.mark.weir
def test_sound_that_breaks_off_is_broken_off(client, case):
    """Nothing of Weir's own may get into the sound."""
    model = case.model("oai", "fake-opaque", "cut-after-events=3")
    heard = b""
    with client.audio.speech.with_streaming_response.create(model=model, voice="alloy", input="x") as answer:
        with pytest.raises(Exception, match="peer closed"):  # which class depends on the SDK's age
            for piece in answer.iter_bytes():
                heard += piece
    assert heard and opaque_dialect.SOUND.startswith(heard)


@pytest.mark.weir
def test_events_that_break_off_end_with_an_error(http, case):
    model = case.model("oai", "fake-opaque", "cut-after-events=1")
    heard = b""
    asked = {"model": model, "prompt": "a weir", "stream": True}
    with http.stream("POST", "/v1/images/generations", json=asked) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            for piece in answer.iter_bytes():
                heard += piece
    last = [line for line in heard.split(b"\n") if line.startswith(b"data: ")][-1]
    assert json.loads(last[6:])["error"]["code"] == "upstream_error"


@pytest.mark.weir
def test_usage_is_metered_where_it_is_stated(stack, client, case):
    model = case.model("oai", "fake-opaque")
    client.images.generate(model=model, prompt="a weir")
    client.moderations.create(model=model, input="x")
    client.audio.speech.create(model=model, voice="alloy", input="Grüße")
    end = time.monotonic() + 10
    lines = []
    while len(lines) < 3 and time.monotonic() < end:
        # Up to the last line feed: what is behind that is still being written.
        log = stack.weir.log_path.read_text(errors="replace").rpartition("\n")[0].splitlines()
        lines = [json.loads(line) for line in log if case.id in line and '"operation"' in line]
    by_operation = {line["operation"]: line for line in lines}
    usage = by_operation["image_generation"]["usage"]
    assert (usage["in_uncached"], usage["in_image"], usage["out_image"]) == (10, 40, 272)
    assert by_operation["speech"]["usage"] == {"source": "provider", "in_characters": 5}
    assert "usage" not in by_operation["moderation"] and "cost_nano_usd" not in by_operation["moderation"]


@pytest.mark.weir
def test_the_peer_hangs_up_when_its_client_does(stack, case):
    """A client that leaves in the middle of its upload ends the provider's work."""
    with make_client(stack, retries=0) as client:
        def body():
            yield b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
            yield case.model("oai", "fake-opaque").encode() + b"\r\n--b\r\n"
            yield b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * (1 << 20)
            raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            client._client.post(
                f"{stack.openai_url}/audio/transcriptions",
                content=body(),
                headers={
                    "content-type": "multipart/form-data; boundary=b",
                    "authorization": f"Bearer {stacks.CLIENT_KEY}",
                },
            )
    assert case.records() == [], "the form never was complete"
