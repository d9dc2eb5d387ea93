"""OpenAI's endpoints whose bodies are not chats: moderations, audio, images; strict about what they are sent.

A form is read by the standard library's parser of mail, so that Weir's own is not judged by itself.
"""

import base64
import email.parser
import email.policy
import hashlib
import json
from dataclasses import dataclass, field

from . import published

SOUND = b"\xff\xfb\x90\x64" + bytes(range(256)) * 64
IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 512).decode()

# path -> (the fields that there must be, and those that there may be; None: the body is JSON, else the files)
PATHS = {
    "/v1/moderations": ({"input"}, {"model"}, None),
    "/v1/audio/speech": (
        {"model", "input", "voice"},
        {"instructions", "response_format", "speed", "stream_format"},
        None,
    ),
    "/v1/images/generations": (
        {"model", "prompt"},
        {"n", "size", "quality", "background", "output_format", "stream", "partial_images", "user"},
        None,
    ),
    "/v1/audio/transcriptions": (
        {"model", "file"},
        {"language", "prompt", "response_format", "temperature", "stream", "include[]", "timestamp_granularities[]"},
        {"file"},
    ),
    "/v1/audio/translations": ({"model", "file"}, {"prompt", "response_format", "temperature"}, {"file"}),
    "/v1/images/edits": (
        {"model", "prompt", "image"},
        {"mask", "n", "size", "quality", "user", "stream", "image[]"},
        {"image", "image[]", "mask"},
    ),
    "/v1/images/variations": ({"model", "image"}, {"n", "size", "response_format", "user"}, {"image"}),
}


@dataclass
class Bytes:
    """An answer that is not JSON, in pieces."""

    content_type: str
    pieces: list = field(default_factory=list)


def is_form(path):
    return PATHS[path][2] is not None


def read_form(request):
    """The fields of a form in order, as (name, text or bytes of a file, the file's name or None)."""
    kind = request.header("content-type") or ""
    if not kind.startswith("multipart/form-data; boundary="):
        raise ValueError(f"content-type is {kind}")
    whole = f"content-type: {kind}\r\n\r\n".encode() + request.body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(whole)
    if message.defects or not message.is_multipart():
        raise ValueError(f"not a form: {message.defects}")
    fields = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        file = part.get_filename()
        fields.append((name, data if file else data.decode(), file))
    return fields


def read(request):
    """The body as an object; of a file its size and hash, since forms are large."""
    if not is_form(request.path):
        return json.loads(request.body)
    body = {"_order": []}
    for name, value, file in read_form(request):
        if name in body and not name.endswith("[]"):
            raise ValueError(f"{name} comes twice")
        body["_order"].append(name)
        if file is not None:
            value = {"file": file, "bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
        body[name] = value
    return body


SCHEMAS = {
    "/v1/moderations": "CreateModerationRequest",
    "/v1/audio/speech": "CreateSpeechRequest",
    "/v1/images/generations": "CreateImageRequest",
}


def check(document, path, body):
    """The problems of a body; one that is JSON is held against OpenAI's document and the types of its SDK too."""
    if path in SCHEMAS:
        found = published.request_problems(path, body) or document.problems(SCHEMAS[path], body, overlapping=True)
        if found:
            return found
    needed, allowed, files = PATHS[path]
    given = set(body) - {"_order"}
    problems = [f"{name}: missing" for name in needed - given]
    problems += [f"{name}: unknown" for name in given - needed - allowed]
    for name in given:
        is_file = isinstance(body[name], dict) and "sha256" in body[name]
        if files is not None and is_file != (name in files):
            problems.append(f"{name}: {'no file' if is_file else 'a file'} is wanted")
    return problems


def event(kind, **fields):
    return b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def moderation(body):
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    results = [{"flagged": "flood" in text, "categories": {}, "category_scores": {}} for text in texts]
    return {"id": "modr-fake", "model": body.get("model", "omni-moderation-latest"), "results": results}


def speech(body):
    if body.get("stream_format") == "sse":
        audio = base64.b64encode(SOUND).decode()
        usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
        events = [event("speech.audio.delta", audio=audio[at : at + 4096]) for at in range(0, len(audio), 4096)]
        return Bytes("text/event-stream", [*events, event("speech.audio.done", usage=usage)])
    return Bytes("audio/mpeg", [SOUND[at : at + 1000] for at in range(0, len(SOUND), 1000)])


def transcription(body):
    text = f"{body['file']['bytes']} bytes {body['file']['sha256'][:16]}"
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 45,
        "total_tokens": 59,
    }
    if body.get("stream") == "true":
        deltas = [event("transcript.text.delta", delta=word + " ") for word in text.split()]
        return Bytes("text/event-stream", [*deltas, event("transcript.text.done", text=text, usage=usage)])
    if body.get("response_format") == "text":
        return Bytes("text/plain; charset=utf-8", [text.encode() + b"\n"])
    return {"text": text, "usage": usage}


def images(body):
    usage = {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 272,
        "total_tokens": 322,
    }
    if body.get("stream") in (True, "true"):
        partial = event("image_generation.partial_image", b64_json=IMAGE, partial_image_index=0)
        return Bytes("text/event-stream", [partial, event("image_generation.completed", b64_json=IMAGE, usage=usage)])
    count = int(body.get("n") or 1)
    return {"created": 1760000000, "data": [{"b64_json": IMAGE}] * count, "usage": usage}


def answer(path, body):
    """A dict to be sent as JSON, or Bytes."""
    if path == "/v1/moderations":
        return moderation(body)
    if path == "/v1/audio/speech":
        return speech(body)
    return transcription(body) if path.startswith("/v1/audio/") else images(body)
