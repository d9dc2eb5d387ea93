"""The application behind the ports: checks, records, faults, and the way to the dialects."""

import asyncio
import base64
import gzip
import hashlib
import json
import time

from . import faults, script, streams
from .http import Connection, Cut, PeerGone
from .ports import Refused, Stream

# What providers tell about the account that pays, and a gateway must keep to itself.
PRIVATE_HEADERS = [
    ("set-cookie", "__cf_bm=fake; path=/; HttpOnly"),
    ("openai-organization", "org-fake"),
    ("anthropic-organization-id", "org-fake"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("anthropic-ratelimit-requests-remaining", "9999"),
]
RECORDED_BYTES_MAX = 1 << 20
HTML = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class Provider:
    """One port of the fake. Records and attempts are shared by all of them."""

    def __init__(self, port, records, attempts):
        self.port = port
        self.records = records
        self.attempts = attempts

    async def handle(self, request, responder):
        if request.path.startswith("/_"):
            return await self.control(request, responder)
        record = {
            "port": self.port.name,
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "body": base64.b64encode(request.body[:RECORDED_BYTES_MAX]).decode(),
            "body_bytes": len(request.body),
            "id": "",
            "model": "",
            "problems": [],
            "at": time.time(),
            "done": False,
            "client_gone_ms": None,
        }
        self.records.append(record)
        started = time.monotonic()
        responder.headers += [self.port.request_id, *PRIVATE_HEADERS]
        try:
            await self.answer(request, responder, record)
            record["done"] = not responder.must_close
        except Refused as refusal:
            headers = self.port.error_headers(refusal.status)
            await responder.send_json(refusal.status, refusal.body, headers)
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
            return await responder.send_json(200, {"ok": True, "validates": self.port.document.available})
        if request.path == "/_requests":
            wanted = request.query.get("id")
            found = [record for record in self.records if wanted in (None, record["id"])]
            return await responder.send_json(200, found)
        await responder.send_json(404, {"error": "unknown control path"})

    def refused(self, status, message):
        return Refused(status, self.port.errors.error(status, message))

    async def answer(self, request, responder, record):
        if problem := self.port.key_problem(request):
            record["problems"].append(f"key: {problem}")
            raise self.refused(403 if self.port.name == "bedrock" else 401, problem)
        if request.method == "GET" and request.path in ("/v1/models", "/v1beta/models"):
            return await responder.send_json(200, self.port.errors.models())
        call = self.port.find(request)
        if call is None:
            raise self.refused(404, f"fake: no such path {request.method} {request.path}")
        try:
            body = self.port.read(request, call)
        except ValueError as error:
            record["problems"].append(f"body: {error}")
            raise self.refused(400, f"fake: {error}") from None
        call.tag = hashlib.sha256(request.body).hexdigest()[:16]
        full = self.port.model_of(call, body)
        model, record["id"], suffix = faults.split_model(full)
        record["model"] = full
        chosen = faults.parse(";".join(filter(None, [suffix, request.header("x-fake-fault")])))
        chosen = self.attempts.apply((record["id"], full), chosen)
        await self.fail(responder, chosen)
        if found := self.port.check(request, call, body):
            record["problems"] += found
            raise self.refused(400, f"fake: {'; '.join(found)}")
        if script.named(model) not in script.MODELS:
            raise self.refused(404, f"The model `{model}` does not exist")
        reply = self.port.reply(call, script.named(model), body, chosen)
        if isinstance(reply, Stream):
            return await self.send_stream(responder, reply, chosen)
        await responder.pause(reply.pause_s) if reply.pause_s else None
        await self.send_whole(responder, reply, chosen)

    async def fail(self, responder, chosen):
        """The faults that come instead of an answer."""
        if "stall-ms" in chosen and "stall-after-events" not in chosen:
            await responder.pause(chosen.number("stall-ms") / 1000)
        if "cut-before-head" in chosen:
            responder.cut()
            raise Cut
        if "context-length" in chosen:
            raise Refused(400, self.port.errors.context_length())
        if "quota" in chosen:
            raise Refused(429, self.port.errors.quota())
        names = {
            "retry-after": "retry-after",
            "retry-after-ms": "retry-after-ms",
            "should-retry": "x-should-retry",
        }
        responder.headers += [(header, chosen[word]) for word, header in names.items() if word in chosen]
        if "status" in chosen:
            status = chosen.number("status")
            raise self.refused(status, f"fake: told to answer {status}")

    async def send_whole(self, responder, reply, chosen):
        body = b"" if "empty-body" in chosen else json.dumps(reply.value, ensure_ascii=False).encode()
        kind = "text/plain" if "text-plain" in chosen else "application/json"
        if "html" in chosen:
            return await responder.send(chosen.number("html"), "text/html", HTML)
        headers = [*reply.headers]
        if "gzip" in chosen:
            body = gzip.compress(body)
            headers.append(("content-encoding", "gzip"))
        if "cut-after-head" in chosen or "cut-after-events" in chosen:
            await responder.head(200, [("content-type", kind), ("content-length", len(body))])
            await responder.write(body[: len(body) // 2] if "cut-after-events" in chosen else b"")
            return responder.cut()
        await responder.send(200, kind, body, headers)

    async def send_stream(self, responder, stream, chosen):
        if "html" in chosen:
            return await responder.send(chosen.number("html"), "text/html", HTML)
        if "empty-body" in chosen:
            return await responder.send(200, stream.content_type, b"")
        await streams.play(responder, stream, chosen)


async def listen(provider, port):
    """Starts a server on the loopback; returns (server, its port)."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(provider), "127.0.0.1", port, backlog=1024
    )
    return server, server.sockets[0].getsockname()[1]
