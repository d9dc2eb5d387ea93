"""Plays a list of SSE events to a client, with the faults that a stream can have."""

import zlib


class Gzip:
    """Compresses a stream such that each event can be read as soon as it is sent."""

    def __init__(self):
        self.state = zlib.compressobj(wbits=31)

    def __call__(self, data):
        return self.state.compress(data) + self.state.flush(zlib.Z_SYNC_FLUSH)


async def play(responder, events, faults, error_event, pause_ms=0):
    """Sends `events`, each the bytes of one SSE event; `error_event` is what `error-event-after` sends."""
    encode = Gzip() if "gzip" in faults else bytes
    headers = [("content-encoding", "gzip")] if "gzip" in faults else []
    responder.chunk_size = 1 if "dribble" in faults else faults.number("chunk", 0)
    await responder.start_stream(headers)
    if "cut-after-head" in faults:
        return responder.cut()
    for count, event in enumerate(events):
        if count == faults.number("cut-after-events"):
            return responder.cut()
        if count == faults.number("error-event-after"):
            await responder.send_event(encode(error_event))
            return await responder.end_stream()
        if count == faults.number("stall-after-events"):
            await responder.pause(faults.number("stall-ms", 1000) / 1000)
        if "bad-json-event" in faults and count == 2:
            event = event[: event.index(b"{") + 5] + b"\n\n"
        if "comments" in faults:
            event = b": keep-alive\n\n" + event
        if "crlf" in faults:
            event = event.replace(b"\n", b"\r\n")
        await responder.send_event(encode(event))
        if pause_ms:
            await responder.pause(pause_ms / 1000)
    await responder.end_stream()
