"""Pictures made here, so that no test data of others is needed."""

import base64
import struct
import zlib


def png(width, height, padding=0):
    """A grey PNG of this size; `padding` bytes of an ancillary chunk make it as large as wanted."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    extra = chunk(b"wEir", bytes(range(256)) * (padding // 256)) if padding else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def base64_png(width, height, padding=0):
    """(base64 text, what a vision model of the fake says about the picture)"""
    data = png(width, height, padding)
    return base64.b64encode(data).decode(), f"image/png {width}x{height} {len(data)} bytes"
