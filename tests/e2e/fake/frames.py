"""AWS's event stream (application/vnd.amazon.eventstream): frames of headers and a payload, with two CRCs."""

import base64
import json
import struct
import zlib

STRING = 7


def header(name, value):
    raw = value.encode()
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", STRING, len(raw)) + raw


def frame(headers, payload):
    """One frame; `headers` is a dict of texts, `payload` bytes."""
    packed = b"".join(header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(kind, value):
    """A frame that carries `value` as an event of this type."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def exception(kind, message):
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def parts(data):
    """A frame's (headers, payload). Raises ValueError unless both CRCs are right."""
    total, size, crc = struct.unpack(">III", data[:12])
    if total != len(data) or crc != zlib.crc32(data[:8]):
        raise ValueError("bad prelude")
    if struct.unpack(">I", data[-4:])[0] != zlib.crc32(data[:-4]):
        raise ValueError("bad message CRC")
    headers, at = {}, 12
    while at < 12 + size:
        name = data[at + 1 : at + 1 + data[at]].decode()
        at += 1 + data[at]
        length = struct.unpack(">H", data[at + 1 : at + 3])[0]
        headers[name] = data[at + 3 : at + 3 + length].decode()
        at += 3 + length
    return headers, data[12 + size : -4]


def spoiled(data):
    """The frame with a payload that is no JSON, but right CRCs."""
    headers, payload = parts(data)
    return frame(headers, payload[:5])


def with_bad_crc(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def base64_text(raw):
    return base64.b64encode(raw).decode()


def raw_of_base64(text):
    return base64.b64decode(text, validate=True)
