"""The OpenAI side: requests into conversations, answers into completions, chunks, embeddings and errors."""

import base64
import hashlib
import json
import struct

from . import script
from .script import Conversation, Turn

CREATED = 1760000000
FINISH = {"end": "stop", "length": "length", "stop_sequence": "stop", "tool": "tool_calls", "refusal": "stop"}
ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    503: ("overloaded", "server_overloaded"),
}


def error(status, message, code=None, param=None):
    kind, usual = ERROR_TYPES.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": param, "code": code or usual}}


def context_length():
    return error(
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 "
        "tokens. Please reduce the length of the messages.",
        "context_length_exceeded",
        "messages",
    )


def quota():
    body = error(429, "You exceeded your current quota, please check your plan and billing details.")
    body["error"].update(type="insufficient_quota", code="insufficient_quota")
    return body


def content_parts(content):
    """A message's content as a list of parts."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def split_url(url):
    if not url.startswith("data:"):
        return "url", url
    head, _, data = url[5:].partition(",")
    return head.split(";")[0], data


def read_turn(message):
    parts = content_parts(message.get("content"))
    texts = [part["text"] for part in parts if part["type"] == "text"]
    if message["role"] == "tool":
        text = "".join(texts)
        bad = text.startswith("ERROR: ")
        return Turn("user", results=[(text.removeprefix("ERROR: "), bad)])
    images = [split_url(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
    return Turn(message["role"], texts, images)


def read_turns(messages):
    """Turns without the system messages; the results of one round of calls are one turn."""
    turns = []
    for message in messages:
        if message["role"] in ("system", "developer"):
            continue
        turn = read_turn(message)
        if turn.results and turns and turns[-1].results:
            turns[-1].results += turn.results
        else:
            turns.append(turn)
    return turns


def read_tool_choice(choice):
    if isinstance(choice, dict):
        return choice["function"]["name"]
    return {None: "auto", "required": "any"}.get(choice, choice)


def read_chat(body):
    """A checked chat body as a Conversation."""
    system = [
        part["text"]
        for message in body["messages"]
        if message["role"] in ("system", "developer")
        for part in content_parts(message["content"])
    ]
    stop = body.get("stop") or []
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    limit = body.get("max_completion_tokens")
    return Conversation(
        system=system,
        turns=read_turns(body["messages"]),
        tools={
            tool["function"]["name"]: tool["function"].get("parameters", {})
            for tool in body.get("tools") or []
        },
        tool_choice=read_tool_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls") is not False,
        stop=[stop] if isinstance(stop, str) else stop,
        tokens_max=body.get("max_tokens") if limit is None else limit,
        schema=schema,
        thinking=body.get("reasoning_effort") not in (None, "none"),
        logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
    )


def read_completion(body, prompt):
    """A legacy completion with one prompt as a Conversation."""
    stop = body.get("stop") or []
    return Conversation(
        system=[],
        turns=[Turn("user", [prompt])],
        tokens_max=body.get("max_tokens"),
        stop=[stop] if isinstance(stop, str) else stop,
    )


def usage_json(usage):
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "audio_tokens": 0,
            "cache_write_tokens": usage.cache_write,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def joined(answer, kind):
    texts = [block[1] for block in answer.blocks if block[0] == kind]
    return "".join(texts) if texts else None


def logprob(token, number):
    return {"token": token, "logprob": number, "bytes": list(token.encode())}


def logprobs_json(answer, text):
    """What is told of the tokens of a text; None unless it was asked for."""
    if answer.logprobs is None or text is None:
        return None
    tokens = [
        {**logprob(token, number), "top_logprobs": [logprob(*one) for one in others]}
        for token, number, others in script.likelihoods(text, answer.logprobs)
    ]
    return {"content": tokens, "refusal": None}


def message_json(answer):
    message = {
        "role": "assistant",
        "content": joined(answer, "text"),
        "refusal": joined(answer, "refusal"),
        "annotations": [],
    }
    if thinking := joined(answer, "thinking"):
        message["reasoning_content"] = thinking
    calls = [block for block in answer.blocks if block[0] == "call"]
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{answer.tag}_{index}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for index, (_, name, arguments) in enumerate(calls)
        ]
    return message


def completion(answer, model, count=1):
    """A whole chat completion with `count` equal choices."""
    choices = [
        {
            "index": index,
            "message": message_json(answer),
            "logprobs": logprobs_json(answer, joined(answer, "text")),
            "finish_reason": FINISH[answer.stop],
        }
        for index in range(count)
    ]
    return {
        "id": f"chatcmpl-{answer.tag}",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": choices,
        "usage": usage_json(answer.usage),
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def call_deltas(answer):
    """The deltas of the tool calls: one after the other, or their arguments in turns."""
    calls = [block for block in answer.blocks if block[0] == "call"]
    each = []
    for index, (_, name, arguments) in enumerate(calls):
        start = {
            "index": index,
            "id": f"call_{answer.tag}_{index}",
            "type": "function",
            "function": {"name": name, "arguments": ""},
        }
        rest = [
            {"index": index, "function": {"arguments": arguments[at : at + 5]}}
            for at in range(0, len(arguments), 5)
        ]
        each.append([start, *rest])
    if answer.interleaved:
        longest = max(map(len, each), default=0)
        return [one[at] for at in range(longest) for one in each if at < len(one)]
    return [delta for one in each for delta in one]


def deltas(answer):
    first = {
        "role": "assistant",
        "content": None if answer.stop in ("tool", "refusal") else "",
        "refusal": None,
    }
    yield first
    for kind, key in (("thinking", "reasoning_content"), ("text", "content"), ("refusal", "refusal")):
        for piece in script.pieces(joined(answer, kind) or ""):
            yield {key: piece}
    for call in call_deltas(answer):
        yield {"tool_calls": [call]}


def data_line(value):
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def chunks(answer, model, body, faults):
    """The events of a streamed chat completion, as bytes."""
    counted = bool((body.get("stream_options") or {}).get("include_usage"))
    base = {
        "id": f"chatcmpl-{answer.tag}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }

    def chunk(delta, finish=None, index=0):
        logprobs = logprobs_json(answer, delta.get("content") or None)
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return data_line({**base, "choices": [choice], **({"usage": None} if counted else {})})

    count = body.get("n") or 1
    events = [chunk(delta, index=index) for delta in deltas(answer) for index in range(count)]
    if "no-finish" not in faults:
        events += [chunk({}, FINISH[answer.stop], index) for index in range(count)]
    if counted and "no-usage" not in faults:
        events.append(data_line({**base, "choices": [], "usage": usage_json(answer.usage)}))
    return events + ([] if "no-done" in faults else [b"data: [DONE]\n\n"])


def text_completion(answers, model):
    """A whole legacy completion: one choice for each answer."""
    choices = [
        {
            "index": index,
            "text": joined(answer, "text") or "",
            "logprobs": None,
            "finish_reason": "length" if answer.stop == "length" else "stop",
        }
        for index, answer in enumerate(answers)
    ]
    usage = usage_json(
        script.Usage(
            sum(answer.usage.uncached for answer in answers), sum(answer.usage.output for answer in answers)
        )
    )
    return {
        "id": f"cmpl-{answers[0].tag}",
        "object": "text_completion",
        "created": CREATED,
        "model": model,
        "choices": choices,
        "usage": usage,
    }


def text_chunks(answers, model, body, faults):
    """The events of a streamed legacy completion."""
    base = {"id": f"cmpl-{answers[0].tag}", "object": "text_completion", "created": CREATED, "model": model}
    whole = text_completion(answers, model)
    counted = bool((body.get("stream_options") or {}).get("include_usage"))
    events = []
    for choice in whole["choices"]:
        for piece in script.pieces(choice["text"]):
            part = {"index": choice["index"], "text": piece, "logprobs": None, "finish_reason": None}
            events.append(data_line({**base, "choices": [part], **({"usage": None} if counted else {})}))
        end = {
            "index": choice["index"],
            "text": "",
            "logprobs": None,
            "finish_reason": choice["finish_reason"],
        }
        events.append(data_line({**base, "choices": [end], **({"usage": None} if counted else {})}))
    if counted:
        events.append(data_line({**base, "choices": [], "usage": whole["usage"]}))
    return events + ([] if "no-done" in faults else [b"data: [DONE]\n\n"])


def vector(text, dimensions):
    """`dimensions` numbers from the text, each exact as a float32."""
    digest = hashlib.shake_256(text.encode()).digest(dimensions)
    return [(byte - 128) / 128 for byte in digest]


def embeddings(body, model):
    inputs = body["input"]
    if isinstance(inputs, str) or (inputs and isinstance(inputs[0], int)):
        inputs = [inputs]
    texts = [text if isinstance(text, str) else json.dumps(text) for text in inputs]
    dimensions = body.get("dimensions") or 8
    data = []
    for index, text in enumerate(texts):
        value = vector(text, dimensions)
        if body.get("encoding_format") == "base64":
            value = base64.b64encode(struct.pack(f"<{dimensions}f", *value)).decode()
        data.append({"object": "embedding", "index": index, "embedding": value})
    count = sum(len(script.pieces(text)) for text in texts)
    return {
        "object": "list",
        "model": model,
        "data": data,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def models():
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in script.MODELS
        ],
    }
