"""Plays the events of a stream to a client, with the faults that one can have."""

import zlib

from . import frames


class Gzip:
    """Compresses a stream such that each event can be read as soon as it is sent."""

    def __init__(self):
        self.state = zlib.compressobj(wbits=31)

    def __call__(self, data):
        return self.state.compress(data) + self.state.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        return self.state.flush()


def spoil(event, is_frames):
    """The event with a payload that is no JSON."""
    return frames.spoiled(event) if is_frames else event[: event.index(b"{") + 5] + b"\n\n"


def dressed(event, faults):
    """An SSE event with the comments and line ends that are asked for."""
    if "comments" in faults:
        event = b": keep-alive\n\n" + event
    return event.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if "crlf" in faults else event


async def play(responder, stream, faults):
    """Sends the events of `stream`, each the bytes of one SSE event or one frame."""
    encode = Gzip() if "gzip" in faults else bytes
    headers = [("content-encoding", "gzip")] if "gzip" in faults else []
    is_frames = "eventstream" in stream.content_type
    responder.chunk_size = 1 if "dribble" in faults else faults.number("chunk", 0)
    await responder.start_stream(stream.content_type, headers)
    if "cut-after-head" in faults:
        return responder.cut()
    for count, event in enumerate(stream.events):
        if count == faults.number("cut-after-events"):
            return responder.cut()
        if count == faults.number("error-event-after"):
            await responder.send_event(encode(stream.failure))
            return await responder.end_stream()
        if count == faults.number("stall-after-events"):
            await responder.pause(faults.number("stall-ms", 1000) / 1000)
        if "bad-json-event" in faults and count == 2:
            event = spoil(event, is_frames)
        if "bad-crc" in faults and count == 2 and is_frames:
            event = frames.with_bad_crc(event)
        await responder.send_event(encode(event if is_frames else dressed(event, faults)))
        if stream.pause_ms:
            await responder.pause(stream.pause_ms / 1000)
    await responder.end_stream(b"" if encode is bytes else encode.end())
