"""OpenAI's Responses API: requests into conversations, answers into items, and all events of a stream."""

import json

from . import script, signatures
from .openai_dialect import CREATED, logprobs_json, split_url
from .script import Conversation, Turn

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
STATUS = {"length": ("incomplete", {"reason": "max_output_tokens"})}


def input_items(body):
    given = body.get("input") or []
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def kind_of(item):
    return item.get("type") or "message"


def content_parts(content):
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def output_of(item):
    """The text of a tool's output; one of status incomplete, or that says so, is an error."""
    text = "".join(part.get("text", "") for part in content_parts(item["output"]))
    bad = item.get("status") == "incomplete" or text.startswith("ERROR: ")
    return text.removeprefix("ERROR: "), bad


def read_message(item):
    parts = content_parts(item["content"])
    texts = [part.get("text") or part.get("refusal", "") for part in parts if "image" not in part["type"]]
    images = [split_url(part["image_url"]) for part in parts if part["type"] == "input_image"]
    return Turn(
        "assistant" if item["role"] == "assistant" else "user", [text for text in texts if text], images
    )


def read_turns(items):
    """Turns without the system messages; the outputs of one round of calls are one turn."""
    turns = []
    for item in items:
        if kind_of(item) == "function_call_output":
            if not (turns and turns[-1].results):
                turns.append(Turn("user"))
            turns[-1].results.append(output_of(item))
        elif kind_of(item) == "function_call" and not (turns and turns[-1].role == "assistant"):
            turns.append(Turn("assistant"))
        elif kind_of(item) == "message" and item["role"] not in ("system", "developer"):
            turns.append(read_message(item))
    return turns


def read_tool_choice(choice):
    if isinstance(choice, dict):
        return choice.get("name", "auto")
    return {None: "auto", "required": "any"}.get(choice, choice)


def read(body, history=()):
    """A checked body, after the items of the responses before it, as a Conversation."""
    items = [*history, *input_items(body)]
    system = [body["instructions"]] if body.get("instructions") else []
    for item in items:
        if kind_of(item) == "message" and item["role"] in ("system", "developer"):
            system += [part["text"] for part in content_parts(item["content"])]
    form = (body.get("text") or {}).get("format") or {}
    functions = [tool for tool in body.get("tools") or [] if tool["type"] == "function"]
    return Conversation(
        system=system,
        turns=read_turns(items),
        tools={tool["name"]: tool.get("parameters") or {} for tool in functions},
        tool_choice=read_tool_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls") is not False,
        tokens_max=body.get("max_output_tokens"),
        schema=form.get("schema"),
        thinking=(body.get("reasoning") or {}).get("effort") not in (None, "none"),
        logprobs=(body.get("top_logprobs") or 0) if LOGPROBS in (body.get("include") or []) else None,
    )


def usage_json(usage):
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def reasoning_item(answer, body, text):
    """The summary comes if it was asked for; the encrypted thoughts likewise."""
    item = {"id": f"rs_{answer.tag}", "type": "reasoning", "summary": []}
    if (body.get("reasoning") or {}).get("summary"):
        item["summary"] = [{"type": "summary_text", "text": text}]
    if ENCRYPTED in (body.get("include") or []):
        item["encrypted_content"] = signatures.issue(signatures.OPENAI, item["id"], answer.tag)
    return item


def output_items(answer, body):
    items, parts = [], []
    for index, block in enumerate(answer.blocks):
        if block[0] == "thinking":
            items.append(reasoning_item(answer, body, block[1]))
        elif block[0] == "call":
            items.append(
                {
                    "id": f"fc_{answer.tag}_{index}",
                    "type": "function_call",
                    "status": "completed",
                    "call_id": f"call_{answer.tag}_{index}",
                    "name": block[1],
                    "arguments": block[2] or "{}",
                }
            )
        elif block[0] == "refusal":
            parts.append({"type": "refusal", "refusal": block[1]})
        else:
            logprobs = (logprobs_json(answer, block[1]) or {}).get("content", [])
            parts.append({"type": "output_text", "text": block[1], "annotations": [], "logprobs": logprobs})
        if parts and block[0] in ("text", "refusal"):
            status = "incomplete" if answer.stop == "length" else "completed"
            message = {"id": f"msg_{answer.tag}_{index}", "type": "message", "role": "assistant"}
            items.append({**message, "status": status, "content": parts})
            parts = []
    return items


def response(answer, model, body):
    """A whole response."""
    status, details = STATUS.get(answer.stop, ("completed", None))
    return {
        "id": f"resp_{answer.tag}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": details,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": model,
        "output": output_items(answer, body),
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort"), "summary": None},
        "service_tier": "default",
        "store": body.get("store") is not False,
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": usage_json(answer.usage),
    }


def event(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {value['type']}\ndata: {text}\n\n".encode()


def reasoning_events(index, item):
    at = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    yield {"type": "response.output_item.added", "output_index": index, "item": {**item, "summary": []}}
    for part in item["summary"]:
        empty = {**part, "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **at, "part": empty}
        for piece in script.pieces(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", **at, "delta": piece}
        yield {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **at, "part": part}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def without_bytes(token):
    """A token as the events of a stream have it, unlike the part itself."""
    others = [{key: one[key] for key in ("token", "logprob")} for one in token["top_logprobs"]]
    return {"token": token["token"], "logprob": token["logprob"], "top_logprobs": others}


def message_events(index, item):
    start = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": index, "item": start}
    for number, part in enumerate(item["content"]):
        at = {"item_id": item["id"], "output_index": index, "content_index": number}
        is_text = part["type"] == "output_text"
        field = "text" if is_text else "refusal"
        kind = "response.output_text" if is_text else "response.refusal"
        tokens = [without_bytes(one) for one in part.get("logprobs", [])]
        empty = {field: "", **({"logprobs": []} if is_text else {})}
        yield {"type": "response.content_part.added", **at, "part": {**part, **empty}}
        for place, piece in enumerate(script.pieces(part[field])):
            more = {"logprobs": tokens[place : place + 1]} if is_text else {}
            yield {"type": f"{kind}.delta", **at, "delta": piece, **more}
        more = {"logprobs": tokens} if is_text else {}
        yield {"type": f"{kind}.done", **at, field: part[field], **more}
        yield {"type": "response.content_part.done", **at, "part": part}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def call_events(index, item):
    at = {"item_id": item["id"], "output_index": index}
    start = {**item, "status": "in_progress", "arguments": ""}
    text = item["arguments"]
    kind = "response.function_call_arguments"
    yield {"type": "response.output_item.added", "output_index": index, "item": start}
    for begin in range(0, len(text), 5):
        yield {"type": f"{kind}.delta", **at, "delta": text[begin : begin + 5]}
    yield {"type": f"{kind}.done", **at, "name": item["name"], "arguments": text}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


ITEM_EVENTS = {"reasoning": reasoning_events, "message": message_events, "function_call": call_events}


def item_events(items):
    """The events of the items, one after the other: this API never mixes them, and clients rely on it."""
    each = (ITEM_EVENTS[item["type"]](index, item) for index, item in enumerate(items))
    return [value for one in each for value in one]


def events(answer, model, body, faults):
    """The events of a streamed response, as bytes."""
    whole = response(answer, model, body)
    if "no-usage" in faults:
        whole["usage"] = None
    begun = {**whole, "status": "in_progress", "output": [], "incomplete_details": None}
    del begun["usage"]
    values = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *item_events(whole["output"]),
    ]
    if "no-finish" not in faults and "no-done" not in faults:
        values.append({"type": f"response.{whole['status']}", "response": whole})
    return [event({**value, "sequence_number": number}) for number, value in enumerate(values)]


def error_event(message):
    return event(
        {
            "type": "error",
            "code": "server_error",
            "message": message,
            "param": None,
            "sequence_number": 99,
        }
    )
