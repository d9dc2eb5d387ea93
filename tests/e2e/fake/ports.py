"""What differs between the vendors' servers: paths, keys and errors, and which dialect a path speaks.

A port finds the Call of a request, checks it, and makes a Whole or a Stream of the script's answer.
"""

from dataclasses import dataclass

from . import (
    anthropic_checks,
    anthropic_dialect,
    openai_checks,
    openai_dialect,
    script,
)

SSE = "text/event-stream; charset=utf-8"


@dataclass
class Call:
    """What a path asks for; `model` is None where the body names it, `streamed` where the body decides."""

    operation: str
    model: str | None = None
    streamed: bool | None = None
    tag: str = "0"


@dataclass
class Whole:
    value: dict
    pause_s: float = 0
    headers: tuple = ()


@dataclass
class Stream:
    events: object  # bytes of one event each
    failure: bytes  # the event that tells of a failure
    pause_ms: int = 0
    content_type: str = SSE


class Refused(Exception):
    """An answer that is an error: a status and a body in the dialect of the port."""

    def __init__(self, status, body):
        super().__init__(body)
        self.status = status
        self.body = body


class Port:
    """The parts that most vendors share. `name` is how the records call it."""

    name = ""
    request_id = ("x-request-id", "req_fake1")
    key_header = "authorization"

    def __init__(self, keys, document):
        self.keys = tuple(keys)
        self.document = document

    def key_problem(self, request):
        bearer = (request.header("authorization") or "").removeprefix("Bearer ")
        given = [request.header(self.key_header), bearer]
        if any(key and key.startswith(self.keys) for key in given):
            return None
        return "fake: this key is not known"

    def model_of(self, call, body):
        return str(body.get("model", "")) if call.model is None else call.model

    def error_headers(self, status):
        return []

    def answered(self, call, model, conversation):
        """The script's answer, with ids that depend on nothing but the request."""
        answer = script.answer(model, conversation)
        answer.tag = call.tag
        return answer


class OpenAI(Port):
    """Chat and legacy completions, embeddings."""

    name = "openai"
    errors = openai_dialect
    overloaded = 503

    def find(self, request):
        paths = list(openai_checks.SCHEMAS)
        return Call(request.path) if request.method == "POST" and request.path in paths else None

    def check(self, request, call, body):
        return openai_checks.check(self.document, request.path, body)

    def reply(self, call, model, body, faults):
        if call.operation == "/v1/embeddings":
            return Whole(openai_dialect.embeddings(body, body["model"]))
        if call.operation == "/v1/completions":
            return self.completion(call, model, body, faults)
        answer = self.answered(call, model, openai_dialect.read_chat(body))
        if body.get("stream"):
            events = openai_dialect.chunks(answer, body["model"], body, faults)
            return Stream(events, openai_dialect.data_line(self.failure()), answer.pause_ms)
        value = openai_dialect.completion(answer, body["model"], body.get("n") or 1)
        return Whole(value, answer.pause_ms * 0.2)

    def failure(self):
        return openai_dialect.error(self.overloaded, "fake: overloaded in mid-stream")

    def completion(self, call, model, body, faults):
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        read = openai_dialect.read_completion
        answers = [self.answered(call, model, read(body, prompt)) for prompt in prompts]
        if body.get("stream"):
            events = openai_dialect.text_chunks(answers, body["model"], body, faults)
            return Stream(events, openai_dialect.data_line(self.failure()), answers[0].pause_ms)
        return Whole(openai_dialect.text_completion(answers, body["model"]))


class Anthropic(Port):
    name = "anthropic"
    errors = anthropic_dialect
    request_id = ("request-id", anthropic_dialect.REQUEST_ID)
    key_header = "x-api-key"

    def find(self, request):
        paths = ["/v1/messages", "/v1/messages/count_tokens"]
        return Call(request.path) if request.method == "POST" and request.path in paths else None

    def check(self, request, call, body):
        if isinstance(body, dict) and "thread" in body:
            details = {"error_code": "thread_unsupported_request"}
            raise Refused(400, anthropic_dialect.error(400, "fake: no threads here", details))
        version = request.header("anthropic-version")
        return anthropic_checks.check(version, body, request.path.endswith("count_tokens"))

    def reply(self, call, model, body, faults):
        conversation = anthropic_dialect.read_messages(body)
        if call.operation.endswith("count_tokens"):
            return Whole({"input_tokens": script.input_tokens(conversation)})
        answer = self.answered(call, model, conversation)
        if body.get("stream"):
            failure = anthropic_dialect.error(529, "fake: overloaded in mid-stream")
            events = anthropic_dialect.events(answer, body["model"], faults)
            return Stream(events, anthropic_dialect.event(failure), answer.pause_ms)
        return Whole(anthropic_dialect.message(answer, body["model"]), answer.pause_ms * 0.2)


PORTS = {port.name: port for port in (OpenAI, Anthropic)}
