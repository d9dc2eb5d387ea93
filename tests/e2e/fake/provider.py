"""The application behind the two ports: checks, records, faults, and the way to the dialects."""

import asyncio
import base64
import gzip
import hashlib
import json
import time

from . import anthropic_checks, anthropic_dialect, faults, openai_checks, openai_dialect, script, streams
from .http import Connection, Cut, PeerGone

# What providers tell about the account that pays, and a gateway must keep to itself.
PRIVATE_HEADERS = [
    ("set-cookie", "__cf_bm=fake; path=/; HttpOnly"),
    ("openai-organization", "org-fake"),
    ("anthropic-organization-id", "org-fake"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("anthropic-ratelimit-requests-remaining", "9999"),
]
HTML = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class Refused(Exception):
    """An answer that is an error: a status and a body in the dialect of the port."""

    def __init__(self, status, body):
        super().__init__(body)
        self.status = status
        self.body = body


def tagged(answer, request):
    """`answer` with ids of its own that depend on nothing but the bytes of the request."""
    answer.tag = hashlib.sha256(request.body).hexdigest()[:16]
    return answer


class Provider:
    """One port of the fake: `dialect` is "openai" or "anthropic". Records and attempts are shared."""

    def __init__(self, dialect, keys, records, attempts, document):
        self.dialect = dialect
        self.keys = keys
        self.records = records
        self.attempts = attempts
        self.document = document
        self.errors = openai_dialect if dialect == "openai" else anthropic_dialect

    async def handle(self, request, responder):
        if request.path.startswith("/_"):
            return await self.control(request, responder)
        record = {
            "port": self.dialect,
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
            "id": "",
            "model": "",
            "problems": [],
            "at": time.time(),
            "done": False,
            "client_gone_ms": None,
        }
        self.records.append(record)
        started = time.monotonic()
        name = "request-id" if self.dialect == "anthropic" else "x-request-id"
        responder.headers += [(name, anthropic_dialect.REQUEST_ID), *PRIVATE_HEADERS]
        try:
            await self.answer(request, responder, record)
            record["done"] = not responder.must_close
        except Refused as refusal:
            await responder.send_json(refusal.status, refusal.body)
            record["done"] = True
        except PeerGone:
            record["client_gone_ms"] = round(1000 * (responder.connection.gone_at - started))
            raise
        finally:
            record.update(
                status=responder.status,
                events_sent=responder.events_sent,
                took_ms=round(1000 * (time.monotonic() - started)),
            )

    async def control(self, request, responder):
        """`/_requests?id=TEST` tells what was received, `/_health` that somebody is there."""
        if request.path == "/_health":
            return await responder.send_json(200, {"ok": True, "validates": self.document.available})
        if request.path == "/_requests":
            wanted = request.query.get("id")
            found = [record for record in self.records if wanted in (None, record["id"])]
            return await responder.send_json(200, found)
        await responder.send_json(404, {"error": "unknown control path"})

    def authenticate(self, request):
        bearer = (request.header("authorization") or "").removeprefix("Bearer ")
        given = [bearer] if self.dialect == "openai" else [request.header("x-api-key"), bearer]
        if not any(key and key.startswith(tuple(self.keys)) for key in given):
            raise Refused(401, self.errors.error(401, "fake: this key is not known"))

    async def answer(self, request, responder, record):
        self.authenticate(request)
        if request.method == "GET" and request.path == "/v1/models":
            return await responder.send_json(200, self.errors.models())
        paths = list(openai_checks.SCHEMAS)
        if self.dialect == "anthropic":
            paths = ["/v1/messages", "/v1/messages/count_tokens"]
        if request.method != "POST" or request.path not in paths:
            raise Refused(404, self.errors.error(404, f"fake: no such path {request.method} {request.path}"))
        try:
            body = json.loads(request.body)
        except ValueError as error:
            record["problems"].append(f"body: {error}")
            raise Refused(400, self.errors.error(400, f"fake: {error}")) from None
        model, record["id"], suffix = faults.split_model(str(body.get("model", "")))
        record["model"] = body.get("model")
        chosen = faults.parse(";".join(filter(None, [suffix, request.header("x-fake-fault")])))
        chosen = self.attempts.apply((record["id"], body.get("model")), chosen)
        await self.fail(responder, chosen)
        self.check(request, body, record)
        if model not in script.MODELS:
            raise Refused(404, self.errors.error(404, f"The model `{model}` does not exist"))
        if self.dialect == "openai":
            await self.answer_openai(request, responder, body, model, chosen)
        else:
            await self.answer_anthropic(request, responder, body, model, chosen)

    async def fail(self, responder, chosen):
        """The faults that come instead of an answer."""
        if "stall-ms" in chosen and "stall-after-events" not in chosen:
            await responder.pause(chosen.number("stall-ms") / 1000)
        if "cut-before-head" in chosen:
            responder.cut()
            raise Cut
        if "context-length" in chosen:
            raise Refused(400, self.errors.context_length())
        if "quota" in chosen:
            raise Refused(429, self.errors.quota())
        names = {
            "retry-after": "retry-after",
            "retry-after-ms": "retry-after-ms",
            "should-retry": "x-should-retry",
        }
        responder.headers += [(header, chosen[word]) for word, header in names.items() if word in chosen]
        if "status" in chosen:
            status = chosen.number("status")
            raise Refused(status, self.errors.error(status, f"fake: told to answer {status}"))

    def check(self, request, body, record):
        """Refuses with 400 what the real provider would refuse, and keeps the reasons in the record."""
        if self.dialect == "openai":
            found = openai_checks.check(self.document, request.path, body)
        else:
            version = request.header("anthropic-version")
            if isinstance(body, dict) and "thread" in body:
                details = {"error_code": "thread_unsupported_request"}
                raise Refused(400, anthropic_dialect.error(400, "fake: no threads here", details))
            found = anthropic_checks.check(version, body, request.path.endswith("count_tokens"))
        if found:
            record["problems"] += found
            raise Refused(400, self.errors.error(400, f"fake: {'; '.join(found)}"))

    async def send_whole(self, responder, value, chosen):
        body = b"" if "empty-body" in chosen else json.dumps(value, ensure_ascii=False).encode()
        kind = "text/plain" if "text-plain" in chosen else "application/json"
        if "html" in chosen:
            return await responder.send(chosen.number("html"), "text/html", HTML)
        if "gzip" in chosen:
            return await responder.send(200, kind, gzip.compress(body), [("content-encoding", "gzip")])
        if "cut-after-head" in chosen or "cut-after-events" in chosen:
            await responder.head(200, [("content-type", kind), ("content-length", len(body))])
            await responder.write(body[: len(body) // 2] if "cut-after-events" in chosen else b"")
            return responder.cut()
        await responder.send(200, kind, body)

    async def send_stream(self, responder, events, chosen, pause_ms):
        if "html" in chosen:
            return await responder.send(chosen.number("html"), "text/html", HTML)
        if "empty-body" in chosen:
            return await responder.send(200, "text/event-stream", b"")
        failure = self.errors.error(
            529 if self.dialect == "anthropic" else 503, "fake: overloaded in mid-stream"
        )
        if self.dialect == "openai":
            failure = openai_dialect.data_line(failure)
        else:
            failure = anthropic_dialect.event(failure)
        await streams.play(responder, events, chosen, failure, pause_ms)

    async def answer_openai(self, request, responder, body, model, chosen):
        if request.path == "/v1/embeddings":
            return await self.send_whole(responder, openai_dialect.embeddings(body, body["model"]), chosen)
        if request.path == "/v1/completions":
            prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
            answers = [
                tagged(script.answer(model, openai_dialect.read_completion(body, prompt)), request)
                for prompt in prompts
            ]
            if body.get("stream"):
                events = openai_dialect.text_chunks(answers, body["model"], body, chosen)
                return await self.send_stream(responder, events, chosen, answers[0].pause_ms)
            return await self.send_whole(
                responder, openai_dialect.text_completion(answers, body["model"]), chosen
            )
        answer = tagged(script.answer(model, openai_dialect.read_chat(body)), request)
        if body.get("stream"):
            events = openai_dialect.chunks(answer, body["model"], body, chosen)
            return await self.send_stream(responder, events, chosen, answer.pause_ms)
        if answer.pause_ms:
            await responder.pause(answer.pause_ms * 200 / 1000)
        value = openai_dialect.completion(answer, body["model"], body.get("n") or 1)
        await self.send_whole(responder, value, chosen)

    async def answer_anthropic(self, request, responder, body, model, chosen):
        conversation = anthropic_dialect.read_messages(body)
        answer = tagged(script.answer(model, conversation), request)
        if request.path.endswith("count_tokens"):
            return await self.send_whole(
                responder, {"input_tokens": script.input_tokens(conversation)}, chosen
            )
        if body.get("stream"):
            events = anthropic_dialect.events(answer, body["model"], chosen)
            return await self.send_stream(responder, events, chosen, answer.pause_ms)
        if answer.pause_ms:
            await responder.pause(answer.pause_ms * 200 / 1000)
        await self.send_whole(responder, anthropic_dialect.message(answer, body["model"]), chosen)


async def listen(provider, port):
    """Starts a server on the loopback; returns (server, its port)."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(provider), "127.0.0.1", port, backlog=1024
    )
    return server, server.sockets[0].getsockname()[1]
