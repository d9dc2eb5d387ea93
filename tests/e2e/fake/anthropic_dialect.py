"""The Anthropic side: requests into conversations, answers into messages, events, counts and errors."""

import json

from . import script, signatures
from .script import Conversation, Turn

STOP = {
    "end": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool": "tool_use",
    "refusal": "refusal",
}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
REQUEST_ID = "req_fake1"


def error(status, message, details=None):
    inner = {"type": ERROR_TYPES.get(status, "api_error"), "message": message}
    if details:
        inner["details"] = details
    return {"type": "error", "error": inner, "request_id": REQUEST_ID}


def context_length():
    return error(400, "prompt is too long: 210000 tokens > 200000 maximum")


def quota():
    return error(429, "Your credit balance is too low to access the API.")


def blocks_of(content):
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def read_image(source):
    if source["type"] == "base64":
        return source["media_type"], source["data"]
    return "url", source.get("url") or source.get("file_id")


def read_result(block):
    content = block.get("content") or []
    texts = [inner["text"] for inner in blocks_of(content) if inner["type"] == "text"]
    return "".join(texts), bool(block.get("is_error"))


def read_turn(message):
    turn = Turn(message["role"])
    for block in blocks_of(message["content"]):
        if block["type"] == "text":
            turn.texts.append(block["text"])
        elif block["type"] == "image":
            turn.images.append(read_image(block["source"]))
        elif block["type"] == "tool_result":
            turn.results.append(read_result(block))
    return turn


def read_messages(body):
    """A checked Messages body as a Conversation."""
    choice = body.get("tool_choice") or {"type": "auto"}
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    system = [block["text"] for block in blocks_of(body.get("system") or [])]
    system += [
        text
        for message in body["messages"]
        if message["role"] == "system"
        for text in read_turn(message).texts
    ]
    return Conversation(
        system=system,
        turns=[read_turn(message) for message in body["messages"] if message["role"] != "system"],
        tools={tool["name"]: tool.get("input_schema", {}) for tool in body.get("tools") or []},
        tool_choice=choice["name"] if choice["type"] == "tool" else choice["type"],
        parallel=not choice.get("disable_parallel_tool_use"),
        stop=body.get("stop_sequences") or [],
        tokens_max=body.get("max_tokens"),
        schema=schema,
        thinking=(body.get("thinking") or {}).get("type") not in (None, "disabled"),
    )


def usage_json(usage, output):
    return {
        "input_tokens": usage.uncached,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": output,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "service_tier": "standard",
    }


# What an answer of fake-cited names: a document of the request and a page of the web.
DOCUMENT = {
    "type": "page_location",
    "cited_text": "Weirs measure rivers.",
    "document_index": 0,
    "document_title": "Rivers",
    "file_id": None,
    "start_page_number": 2,
    "end_page_number": 3,
}
PAGE = {
    "type": "web_search_result_location",
    "cited_text": "A weir is a low dam.",
    "encrypted_index": "RW5jcnlwdGVk",
    "title": "Weir",
    "url": "https://example.com/weir",
}


def citations(model):
    return [DOCUMENT, PAGE] if "fake-cited" in model else []


def content(answer):
    blocks = []
    for index, block in enumerate(answer.blocks):
        if block[0] == "thinking":
            signature = signatures.issue(signatures.CLAUDE, block[1], answer.tag)
            blocks.append({"type": "thinking", "thinking": block[1], "signature": signature})
        elif block[0] == "call":
            blocks.append(
                {
                    "type": "tool_use",
                    "id": f"toolu_{answer.tag}_{index}",
                    "name": block[1],
                    "input": json.loads(block[2] or "{}"),
                }
            )
        else:
            blocks.append({"type": "text", "text": block[1]})
    return blocks


def stop_fields(answer):
    details = None
    if answer.stop == "refusal":
        details = {"type": "refusal", "category": None, "explanation": script.REFUSAL}
    return {"stop_reason": STOP[answer.stop], "stop_sequence": answer.stop_sequence, "stop_details": details}


def message(answer, model):
    return {
        "id": f"msg_{answer.tag}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [
            {**block, "citations": citations(model)} if block["type"] == "text" and citations(model) else block
            for block in content(answer)
        ],
        **stop_fields(answer),
        "usage": usage_json(answer.usage, answer.usage.output),
    }


def event(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {value['type']}\ndata: {text}\n\n".encode()


def block_deltas(block, arguments):
    """The deltas of one content block; `arguments` is the text of a call's input."""
    if block["type"] == "text":
        return [{"type": "text_delta", "text": piece} for piece in script.pieces(block["text"])]
    if block["type"] == "thinking":
        return [
            {"type": "thinking_delta", "thinking": piece} for piece in script.pieces(block["thinking"])
        ] + [{"type": "signature_delta", "signature": block["signature"]}]
    parts = ["", *(arguments[at : at + 5] for at in range(0, len(arguments), 5))]
    return [{"type": "input_json_delta", "partial_json": part} for part in parts]


EMPTY = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}


def events(answer, model, faults):
    """The events of a streamed message, as bytes. Blocks are sent one after the other, as Anthropic does."""
    start = {
        **message(answer, model),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage_json(answer.usage, 1),
    }
    yield event({"type": "message_start", "message": start})
    for index, block in enumerate(content(answer)):
        yield event(
            {
                "type": "content_block_start",
                "index": index,
                "content_block": {**block, **EMPTY[block["type"]]},
            }
        )
        if index == 0:
            yield event({"type": "ping"})
        for citation in citations(model) if block["type"] == "text" else []:
            delta = {"type": "citations_delta", "citation": citation}
            yield event({"type": "content_block_delta", "index": index, "delta": delta})
        for delta in block_deltas(
            block, answer.blocks[index][2] if answer.blocks[index][0] == "call" else ""
        ):
            yield event({"type": "content_block_delta", "index": index, "delta": delta})
        yield event({"type": "content_block_stop", "index": index})
    if "no-finish" not in faults:
        counts = usage_json(answer.usage, answer.usage.output)
        counts = {name: counts[name] for name in counts if name not in ("cache_creation", "service_tier")}
        usage = {} if "no-usage" in faults else {"usage": counts}
        yield event({"type": "message_delta", "delta": stop_fields(answer), **usage})
    if "no-done" not in faults and "no-finish" not in faults:
        yield event({"type": "message_stop"})


def models():
    return {
        "data": [
            {
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": "2026-01-01T00:00:00Z",
                "lifecycle": "active",
            }
            for name in script.MODELS
        ],
        "has_more": False,
        "first_id": script.MODELS[0],
        "last_id": script.MODELS[-1],
    }
