"""What OpenAI's Responses API refuses: its OpenAPI document, its SDK's types, and which items belong together."""

import re

from . import published, responses_dialect, signatures
from .openai_checks import EXTENSION

UNDOCUMENTED = {"client_metadata"}  # Codex sends it, OpenAI's server takes it


def pairing(items):
    """Every call has its output, once, and each output a call before it."""
    called, answered = [], []
    for index, item in enumerate(items):
        kind = responses_dialect.kind_of(item)
        if kind == "function_call":
            if item["call_id"] in called:
                yield f"input/{index}: a second call with the id {item['call_id']}"
            called.append(item["call_id"])
        elif kind == "function_call_output":
            if item["call_id"] not in called:
                yield f"input/{index}: No tool call found for function call output {item['call_id']}"
            elif item["call_id"] in answered:
                yield f"input/{index}: a second output for {item['call_id']}"
            answered.append(item["call_id"])
    for name in called:
        if name not in answered:
            yield f"input: No tool output found for function call {name}"


def reasoning(items, stored):
    """Reasoning comes back as it was issued, and with the item that followed it."""
    seen = set()
    for index, item in enumerate(items):
        kind = responses_dialect.kind_of(item)
        if kind == "reasoning":
            seen.add(item["id"])
            secret = item.get("encrypted_content")
            if secret is None and item["id"] not in stored:
                yield f"input/{index}: Item with id '{item['id']}' not found"
            elif secret is not None and not signatures.is_genuine(signatures.OPENAI, item["id"], secret):
                yield f"input/{index}: The encrypted content could not be verified"
            after = [responses_dialect.kind_of(later) for later in items[index + 1 :]]
            if not after or after[0] not in ("message", "function_call", "reasoning"):
                yield f"input/{index}: reasoning was provided without its required following item"
        elif kind == "function_call" and (match := re.fullmatch(r"fc_(\w+)_[1-9]\d*", item.get("id") or "")):
            if f"rs_{match[1]}" in stored | seen and f"rs_{match[1]}" not in seen:
                yield f"input/{index}: function_call was provided without its required reasoning item"


def completed(body):
    """The body with what OpenAI's server lets a client leave out, though its document requires it."""
    items = body.get("input")
    parts = {"input_image": {"detail": "auto"}, "output_text": {"annotations": [], "logprobs": []}}

    def filled(item):
        content = item.get("content")
        if responses_dialect.kind_of(item) != "message" or not isinstance(content, list):
            return item
        more = {"id": "msg_0", "status": "completed", "type": "message"}
        more = more if item.get("role") == "assistant" else {}
        content = [{**parts.get(part.get("type"), {}), **part} for part in content]
        return {**more, **item, "content": content}

    tools = [
        {"strict": None, "parameters": None, **tool} if tool.get("type") == "function" else tool
        for tool in body.get("tools") or []
    ]
    found = {**body, **({"tools": tools} if "tools" in body else {})}
    return {**found, "input": [filled(item) for item in items]} if isinstance(items, list) else found


def without_ids_of_input(body):
    """Codex gives its own messages ids and the API takes them, although the types of what goes in have none. Those of
    the assistant's messages are published."""
    items = body.get("input")
    if not isinstance(items, list):
        return body
    own = [isinstance(item, dict) and item.get("role") in ("user", "system", "developer") for item in items]
    plain = [{k: v for k, v in item.items() if k != "id"} if mine else item for item, mine in zip(items, own)]
    return body | {"input": plain}


def check(document, body, stored=frozenset(), history=(), path="/v1/responses"):
    """The problems of a body; `stored` has ids of reasoning that is kept, `history` the items before."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    plain = {key: value for key, value in body.items() if not (key in UNDOCUMENTED or key.startswith(EXTENSION))}
    plain = without_ids_of_input(plain)
    problems = published.request_problems(path, plain)
    problems = problems or document.problems("CreateResponse", completed(plain), overlapping=True)
    for key in ("model", "input"):
        if not body.get(key):
            problems.append(f"{key}: required")
    if problems:
        return problems
    items = responses_dialect.input_items(body)
    whole = [*history, *items]
    return problems + [*pairing(whole), *reasoning(whole, stored)]
