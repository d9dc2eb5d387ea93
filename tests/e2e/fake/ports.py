"""What differs between the vendors' servers: paths, keys and errors, and which dialect a path speaks.

A port finds the Call of a request, checks it, and makes a Whole or a Stream of the script's answer.
"""

import json
import re
import urllib.parse
from dataclasses import dataclass

from . import (
    anthropic_checks,
    anthropic_dialect,
    bedrock_checks,
    bedrock_dialect,
    frames,
    gemini_checks,
    gemini_dialect,
    opaque_dialect,
    openai_checks,
    openai_dialect,
    responses_checks,
    responses_dialect,
    script,
    sigv4,
)

SSE = "text/event-stream; charset=utf-8"
EVENT_STREAM = "application/vnd.amazon.eventstream"


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

    def read(self, request, call):
        """The body as an object. Raises ValueError."""
        return self.normal(json.loads(request.body))

    def model_of(self, call, body):
        return str(body.get("model", "")) if call.model is None else call.model

    def error_headers(self, status):
        return []

    def normal(self, body):
        """The body with the names of its fields in one spelling."""
        return body

    def answered(self, call, model, conversation):
        """The script's answer, with ids that depend on nothing but the request."""
        answer = script.answer(model, conversation)
        answer.tag = call.tag
        return answer


class OpenAI(Port):
    """Chat and legacy completions, embeddings, and Responses, which are stored as long as the port lives."""

    name = "openai"
    errors = openai_dialect
    overloaded = 503

    def __init__(self, keys, document):
        super().__init__(keys, document)
        self.takes_reasoning = False  # as DeepSeek and others do, in messages of chat completions
        self.stored = {}  # id of a response -> its items, with those before
        self.reasoning = set()  # ids of reasoning that is kept

    def find(self, request):
        paths = [
            *openai_checks.SCHEMAS,
            *opaque_dialect.PATHS,
            "/v1/responses",
            "/v1/responses/input_tokens",
        ]
        return Call(request.path) if request.method == "POST" and request.path in paths else None

    def read(self, request, call):
        return opaque_dialect.read(request) if call.operation in opaque_dialect.PATHS else super().read(request, call)

    def history(self, body):
        return self.stored.get(body.get("previous_response_id"), [])

    def check(self, request, call, body):
        if call.operation in opaque_dialect.PATHS:
            return opaque_dialect.check(self.document, call.operation, body)
        if not call.operation.startswith("/v1/responses"):
            return openai_checks.check(self.document, request.path, body, self.takes_reasoning)
        before = body.get("previous_response_id")
        if before is not None and before not in self.stored:
            return [f"previous_response_id: Previous response with id '{before}' not found."]
        return responses_checks.check(self.document, body, self.reasoning, self.history(body), call.operation)

    def reply(self, call, model, body, faults):
        if call.operation in opaque_dialect.PATHS:
            made = opaque_dialect.answer(call.operation, body)
            if isinstance(made, opaque_dialect.Bytes):
                return Stream(made.pieces, b"", content_type=made.content_type)
            return Whole(made)
        if call.operation == "/v1/embeddings":
            return Whole(openai_dialect.embeddings(body, body["model"]))
        if call.operation == "/v1/completions":
            return self.completion(call, model, body, faults)
        if call.operation.startswith("/v1/responses"):
            return self.response(call, model, body, faults)
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

    def response(self, call, model, body, faults):
        conversation = responses_dialect.read(body, self.history(body))
        if call.operation.endswith("input_tokens"):
            count = script.input_tokens(conversation)
            return Whole({"object": "response.input_tokens", "input_tokens": count})
        answer = self.answered(call, model, conversation)
        whole = responses_dialect.response(answer, body["model"], body)
        if whole["store"]:
            items = [*self.history(body), *responses_dialect.input_items(body), *whole["output"]]
            self.stored[whole["id"]] = items
            self.reasoning |= {item["id"] for item in whole["output"] if item["type"] == "reasoning"}
        if body.get("stream"):
            events = responses_dialect.events(answer, body["model"], body, faults)
            failure = responses_dialect.error_event("fake: overloaded in mid-stream")
            return Stream(events, failure, answer.pause_ms)
        return Whole(whole, answer.pause_ms * 0.2)


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


class Gemini(Port):
    """The Gemini API and Vertex: the path's last segment is `model:method`."""

    name = "gemini"
    errors = gemini_dialect
    key_header = "x-goog-api-key"
    METHODS = {
        "generateContent": False,
        "streamGenerateContent": True,
        "countTokens": False,
        "embedContent": False,
        "batchEmbedContents": False,
    }
    PATH = re.compile(
        r"/(?:v1|v1beta|v1beta1)(?:/projects/[^/]+/locations/[^/]+)?(?:/publishers/google)?"
        r"/models/([^/]+):(\w+)"
    )

    def find(self, request):
        match = self.PATH.fullmatch(request.path)
        if not match or request.method != "POST" or match[2] not in self.METHODS:
            return None
        return Call(match[2], urllib.parse.unquote(match[1]), self.METHODS[match[2]])

    def normal(self, body):
        return gemini_dialect.camel(body)

    def check(self, request, call, body):
        thinks = script.named(call.model.split("~")[0]) in script.THINKERS
        if call.streamed and request.query.get("alt") != "sse":
            return ["alt: this provider streams only as SSE; ask with alt=sse"]
        if call.operation == "countTokens":
            return gemini_checks.count(body, thinks)
        if call.operation == "embedContent":
            return gemini_checks.embed(body, call.model)
        if call.operation == "batchEmbedContents":
            return gemini_checks.embed_all(body, call.model)
        return gemini_checks.generate(body, thinks)

    def reply(self, call, model, body, faults):
        if call.operation == "embedContent":
            return Whole({"embedding": gemini_dialect.embedding(body)})
        if call.operation == "batchEmbedContents":
            return Whole({"embeddings": [gemini_dialect.embedding(one) for one in body["requests"]]})
        conversation = gemini_dialect.read(body.get("generateContentRequest", body))
        if call.operation == "countTokens":
            return Whole({"totalTokens": script.input_tokens(conversation)})
        answer = self.answered(call, model, conversation)
        thinks = model in script.THINKERS
        if call.streamed:
            failure = gemini_dialect.data_line(gemini_dialect.error(503, "fake: overloaded in mid-stream"))
            events = gemini_dialect.events(answer, call.model, body, faults, thinks)
            return Stream(events, failure, answer.pause_ms)
        return Whole(gemini_dialect.response(answer, call.model, body, thinks), answer.pause_ms * 0.2)


class BedrockErrors:
    """Bedrock's errors: the kind stands in a header, only the message in the body."""

    @staticmethod
    def error(status, message):
        return {"message": message}

    @staticmethod
    def context_length():
        return {"message": bedrock_dialect.CONTEXT_LENGTH}

    @staticmethod
    def quota():
        return {"message": bedrock_dialect.QUOTA}


class Bedrock(Port):
    """Converse and InvokeModel; a key is a bearer token, or a SigV4 signature."""

    name = "bedrock"
    errors = BedrockErrors
    request_id = ("x-amzn-requestid", "00000000-fake-0000-0000-000000000001")
    OPERATIONS = {
        "converse": False,
        "converse-stream": True,
        "invoke": False,
        "invoke-with-response-stream": True,
        "count-tokens": False,
    }

    def key_problem(self, request):
        if (request.header("authorization") or "").startswith("AWS4-"):
            return sigv4.problem(request)
        return super().key_problem(request)

    def error_headers(self, status):
        kind = bedrock_dialect.ERROR_TYPES.get(status, "InternalServerException")
        return [("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/")]

    def find(self, request):
        match = re.fullmatch(r"/model/([^/]+)/([a-z-]+)", request.path)
        if not match or request.method != "POST" or match[2] not in self.OPERATIONS:
            return None
        return Call(match[2], urllib.parse.unquote(match[1]), self.OPERATIONS[match[2]])

    def check(self, request, call, body):
        if call.operation == "count-tokens":
            return bedrock_checks.count(body)
        if call.operation.startswith("converse"):
            return bedrock_checks.converse(body)
        if "titan-embed" in call.model:
            return bedrock_checks.titan(body)
        return (bedrock_checks.cohere if "cohere.embed" in call.model else bedrock_checks.invoke)(body)

    def reply(self, call, model, body, faults):
        if call.operation == "count-tokens":
            inner = body["input"]
            if "converse" in inner:
                conversation = bedrock_dialect.read(inner["converse"])
            else:
                conversation = anthropic_dialect.read_messages(bedrock_dialect.wrapped(inner))
            return Whole({"inputTokens": script.input_tokens(conversation)})
        if call.operation.startswith("converse"):
            answer = self.answered(call, model, bedrock_dialect.read(body))
            if not call.streamed:
                return Whole(bedrock_dialect.converse(answer), answer.pause_ms * 0.2)
            return self.stream(bedrock_dialect.converse_events(answer, faults), answer)
        if model == "fake-embed":
            return self.embed(call, body)
        answer = self.answered(call, model, anthropic_dialect.read_messages(body))
        if call.streamed:
            return self.stream(bedrock_dialect.invoke_events(answer, call.model, faults), answer)
        counts = [("input", answer.usage.uncached), ("output", answer.usage.output)]
        headers = tuple((f"x-amzn-bedrock-{name}-token-count", count) for name, count in counts)
        return Whole(anthropic_dialect.message(answer, call.model), answer.pause_ms * 0.2, headers)

    @staticmethod
    def embed(call, body):
        if "inputText" in body:
            value, texts = bedrock_dialect.titan_embedding(body), [body["inputText"]]
        else:
            value, texts = bedrock_dialect.cohere_embeddings(body, call.tag), body["texts"]
        count = sum(len(script.pieces(text)) for text in texts)
        return Whole(value, headers=(("x-amzn-bedrock-input-token-count", count),))

    @staticmethod
    def stream(events, answer):
        failure = frames.exception("modelStreamErrorException", "fake: broken in mid-stream")
        return Stream(events, failure, answer.pause_ms, EVENT_STREAM)


PORTS = {port.name: port for port in (OpenAI, Anthropic, Gemini, Bedrock)}
