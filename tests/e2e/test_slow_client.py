"""A client that does not read: Weir stops reading its provider, holds little meanwhile, and goes on later.

The provider here offers events as fast as its socket takes them and counts what was taken. What is taken of
it lies in the kernel's buffers of both connections, which this file keeps small where it can, and in Weir.
"""

import contextlib
import http.client
import http.server
import json
import pathlib
import re
import resource
import socket
import struct
import threading
import time
import urllib.parse

import pytest
from test_first_request import Weir

pytestmark = pytest.mark.weir

OFFERED = 200 << 20
TAKEN_MAX = 32 << 20  # Linux lets the buffers that are not set here grow to some MB
HELD_MAX = 8 << 20
TAKEN_LATER = 8 << 20
SOCKET_BUFFER = 64 << 10
BODY = {"model": "ours/m", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "go"}]}


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    whole = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(whole).encode() + b"\n\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Streams numbered events until `offered` bytes were taken; then ends the stream as it should be."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        provider = self.server
        provider.taken = provider.events = 0
        with contextlib.suppress(OSError):  # Weir hangs up when its client does
            while provider.taken < provider.offered:
                self.send(chunk({"content": f"[{provider.events:08}]" + "x" * 1000}))
                provider.events += 1
            self.send(chunk({}, "stop") + b"data: [DONE]\n\n")

    def send(self, data):
        while data:
            size = self.connection.send(data)
            self.server.taken += size
            data = data[size:]

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)  # those it accepts inherit
    server.taken = server.events = server.offered = 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def weir(provider, tmp_path):
    ours = {"name": "ours", "kind": "vllm", "base_url": f"http://127.0.0.1:{provider.server_port}/v1"}
    with Weir(tmp_path, providers=[ours]) as running:
        yield running


class Http1:
    """A client with a small receive buffer; read() gives some bytes of the answer's body, at its end none."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(30)
        self.socket.connect((self.address.hostname, self.address.port))

    def ask(self, path):
        """Sends the request and reads the answer's head, and no more than what came with it."""
        client = http.client.HTTPConnection(self.address.hostname, self.address.port)
        client.sock = self.socket
        client.request("POST", path, json.dumps(BODY), {"content-type": "application/json"})
        self.answer = client.getresponse()
        assert self.answer.status == 200

    def read(self):
        return self.answer.read1(1 << 16)

    def close(self):
        self.socket.close()


class Http2(Http1):
    """With prior knowledge. It gives back only what it has read of HTTP/2's own windows of 64 KB."""

    DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
    ACK = END_STREAM = 1
    END_HEADERS = 4
    STATUS_200 = b"\x88"  # in HPACK's static table

    def ask(self, path):
        self.file = self.socket.makefile("rb")
        self.is_over = False
        fields = {":method": "POST", ":scheme": "http", ":authority": self.address.netloc, ":path": path}
        fields["content-type"] = "application/json"
        packed = [(name.encode(), value.encode()) for name, value in fields.items()]
        head = b"".join(b"\0%c%b%c%b" % (len(name), name, len(value), value) for name, value in packed)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(self.SETTINGS, 0, 0)
        self.send(self.HEADERS, self.END_HEADERS, 1, head)
        self.send(self.DATA, self.END_STREAM, 1, json.dumps(BODY).encode())
        kind, _, payload = self.frame()
        while kind != self.HEADERS:
            kind, _, payload = self.frame()
        assert payload.startswith(self.STATUS_200)

    def send(self, kind, flags, stream, payload=b""):
        head = struct.pack(">IBI", len(payload) << 8 | kind, flags, stream)
        self.socket.sendall(head + payload)

    def frame(self):
        sizes, flags, _ = struct.unpack(">IBI", self.file.read(9))
        kind, payload = sizes & 0xFF, self.file.read(sizes >> 8)
        if kind == self.SETTINGS and not flags & self.ACK:
            self.send(self.SETTINGS, self.ACK, 0)
        return kind, flags, payload

    def read(self):
        while not self.is_over:
            kind, flags, payload = self.frame()
            if kind != self.DATA:
                continue
            self.is_over = bool(flags & self.END_STREAM)
            if payload:
                for stream in (0, 1):
                    self.send(self.WINDOW_UPDATE, 0, stream, struct.pack(">I", len(payload)))
                return payload
        return b""


def resident_bytes(process):
    """None of a sanitized binary, whose memory tells nothing: its addresses span terabytes."""
    pages = pathlib.Path(f"/proc/{process.child.pid}/statm").read_text().split()
    addresses, resident = (int(count) * resource.getpagesize() for count in pages[:2])
    return None if addresses > 1 << 40 else resident


def settled(provider):
    """What the provider could send, once that has not grown for 2 s."""
    end, before, since = time.monotonic() + 25, provider.taken, time.monotonic()
    while time.monotonic() - since < 2:
        assert time.monotonic() < end, f"the reading goes on, after {provider.taken} bytes too"
        time.sleep(0.05)
        if provider.taken != before:
            before, since = provider.taken, time.monotonic()
    return before


def read_all(client, whole):
    while piece := client.read():
        whole += piece
    return whole


@pytest.fixture(params=[Http1, Http2], ids=["http1", "http2"])
def connect(request, weir):
    """Makes connections of one protocol, and closes them after the test."""
    made = []

    def make():
        made.append(request.param(weir.ready["url"]))
        return made[-1]

    yield make
    for client in made:
        client.close()


WAYS = {"raw": ("/v1/chat/completions", b"[DONE]"), "translated": ("/v1/messages", b"message_stop")}


@pytest.mark.parametrize("path, last", WAYS.values(), ids=WAYS)
def test_a_client_that_reads_nothing_stops_the_reading_upstream(provider, weir, connect, path, last):
    provider.offered = 1 << 20  # a first stream, so that memory is measured when all is in place
    first = connect()
    first.ask(path)
    assert last in read_all(first, bytearray())[-200:]
    held_before = resident_bytes(weir)

    provider.offered = OFFERED
    slow = connect()
    slow.ask(path)
    taken = settled(provider)
    assert 0 < taken <= TAKEN_MAX
    if held_before is not None:
        assert resident_bytes(weir) - held_before <= HELD_MAX

    whole = bytearray()
    while provider.taken < taken + TAKEN_LATER:
        assert (piece := slow.read()), "the stream ended"
        whole += piece
    provider.offered = 0
    read_all(slow, whole)
    assert last in whole[-200:]
    numbers = [int(number) for number in re.findall(rb"\[(\d{8})\]", whole)]
    assert numbers == list(range(provider.events)), "nothing was lost on the way"
