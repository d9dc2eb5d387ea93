"""A small HTTP/1.1 server on asyncio.Protocol, made for misbehaving on purpose.

A ready-made server hides what these tests are about: where exactly the bytes of an answer are cut, and when
the peer closed its connection. It is strict enough for well-formed clients and speaks to nobody else.
"""

import asyncio
import json
import time
import urllib.parse
from dataclasses import dataclass

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    529: "Overloaded",
}


class PeerGone(Exception):
    """The peer closed the connection before the answer was complete."""


class Cut(Exception):
    """The fake closed the connection itself."""


@dataclass
class Request:
    """One request as it came: header names keep their spelling and order, the body its bytes."""

    method: str
    target: str
    headers: list
    body: bytes

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def query(self):
        parts = urllib.parse.urlsplit(self.target)
        return {name: values[-1] for name, values in urllib.parse.parse_qs(parts.query).items()}

    def header(self, name, default=None):
        """The first value of the header `name`, which is compared without case."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default


class Connection(asyncio.Protocol):
    """Feeds bytes into a buffer that the serving task reads, and knows at once when the peer is gone."""

    def __init__(self, app):
        self.app = app
        self.buffer = bytearray()
        self.changed = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.gone = asyncio.Event()
        self.gone_at = None
        self.task = None
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=65536)
        self.task = asyncio.get_running_loop().create_task(self.serve())

    def data_received(self, data):
        self.buffer += data
        self.changed.set()

    def eof_received(self):
        self.mark_gone()
        return False

    def connection_lost(self, exc):
        self.mark_gone()

    def mark_gone(self):
        if not self.gone.is_set():
            self.gone_at = time.monotonic()
            self.gone.set()
        self.changed.set()
        self.writable.set()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    async def more(self):
        """Waits for more bytes. Raises PeerGone at the end of the connection."""
        if self.gone.is_set():
            raise PeerGone
        self.changed.clear()
        await self.changed.wait()

    async def read_until(self, mark):
        while (at := self.buffer.find(mark)) < 0:
            await self.more()
        data = bytes(self.buffer[:at])
        del self.buffer[: at + len(mark)]
        return data

    async def read_exactly(self, count):
        while len(self.buffer) < count:
            await self.more()
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def read_body(self, request):
        if "chunked" in (request.header("transfer-encoding") or "").lower():
            body = bytearray()
            while size := int((await self.read_until(b"\r\n")).split(b";")[0], 16):
                body += await self.read_exactly(size)
                await self.read_exactly(2)
            await self.read_until(b"\r\n")
            return bytes(body)
        return await self.read_exactly(int(request.header("content-length") or 0))

    async def read_request(self):
        head = (await self.read_until(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        request = Request(method, target, headers, b"")
        if (request.header("expect") or "").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = await self.read_body(request)
        return request

    async def serve(self):
        try:
            while not self.gone.is_set():
                request = await self.read_request()
                responder = Responder(self)
                await self.app.handle(request, responder)
                if (request.header("connection") or "").lower() == "close" or responder.must_close:
                    break
        except (PeerGone, Cut):
            pass
        finally:
            self.transport.close()


class Responder:
    """Writes one answer. Every method raises PeerGone when there is nobody to write to."""

    def __init__(self, connection):
        self.connection = connection
        self.must_close = False
        self.status = None
        self.chunk_size = 0  # bytes a write in a stream; 0 is one write for each event
        self.events_sent = 0
        self.headers = []  # added to each head

    async def write(self, data):
        if self.connection.gone.is_set():
            raise PeerGone
        self.connection.transport.write(data)
        await self.connection.writable.wait()

    async def pause(self, seconds):
        """Waits, or raises PeerGone as soon as the peer leaves."""
        try:
            await asyncio.wait_for(self.connection.gone.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise PeerGone

    async def head(self, status, headers):
        self.status = status
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in [*headers, *self.headers]]
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send(self, status, content_type, body, headers=()):
        await self.head(status, [("content-type", content_type), ("content-length", len(body)), *headers])
        await self.write(body)

    async def send_json(self, status, value, headers=()):
        body = json.dumps(value, ensure_ascii=False).encode()
        await self.send(status, "application/json", body, headers)

    async def start_stream(self, content_type, headers=()):
        await self.head(
            200,
            [
                ("content-type", content_type),
                ("cache-control", "no-cache"),
                ("transfer-encoding", "chunked"),
                *headers,
            ],
        )

    async def send_event(self, data):
        """One SSE event, in HTTP chunks of `chunk_size` bytes, each a write of its own."""
        step = self.chunk_size or len(data)
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            await self.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if self.chunk_size and at // step % 8 == 7:
                await self.pause(0.0005)  # lets the reader see a piece alone now and then
        self.events_sent += 1

    async def end_stream(self, rest=b""):
        """The last chunk, after what is left of a compressed body."""
        await self.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest) if rest else b"0\r\n\r\n")

    def cut(self):
        """Closes the connection in the middle of whatever was being sent; what was written still arrives."""
        self.must_close = True
        self.connection.transport.close()
