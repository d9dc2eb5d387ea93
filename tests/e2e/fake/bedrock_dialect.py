"""Amazon Bedrock: Converse into conversations and back, InvokeModel's bodies, embeddings and frames."""

import base64
import json

from . import anthropic_dialect, frames, script, signatures
from .openai_dialect import vector
from .script import Conversation, Turn

STOP = {
    "end": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool": "tool_use",
    "refusal": "content_filtered",
}
ERROR_TYPES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
CONTEXT_LENGTH = "Input is too long for requested model."
QUOTA = "Too many tokens per day, please wait before trying again."


def read_result(block):
    texts = [
        inner.get("text") or json.dumps(inner["json"], ensure_ascii=False)
        for inner in block["content"]
        if "text" in inner or "json" in inner
    ]
    return "".join(texts), block.get("status") == "error"


def read_turn(message):
    turn = Turn(message["role"])
    for block in message["content"]:
        if "text" in block:
            turn.texts.append(block["text"])
        elif "image" in block:
            source = block["image"]["source"]
            turn.images.append((f"image/{block['image']['format']}", source["bytes"]))
        elif "toolResult" in block:
            turn.results.append(read_result(block["toolResult"]))
    return turn


def thinking_of(body):
    return (body.get("additionalModelRequestFields") or {}).get("thinking") or {}


def read(body):
    """A checked Converse body as a Conversation."""
    config = body.get("inferenceConfig") or {}
    tools = body.get("toolConfig") or {}
    choice = tools.get("toolChoice") or {"auto": {}}
    kind = next(iter(choice))
    form = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    specs = [tool["toolSpec"] for tool in tools.get("tools") or [] if "toolSpec" in tool]
    schema = (form.get("jsonSchema") or {}).get("schema")
    return Conversation(
        system=[block["text"] for block in body.get("system") or [] if "text" in block],
        turns=[read_turn(message) for message in body["messages"]],
        tools={spec["name"]: spec["inputSchema"]["json"] for spec in specs},
        tool_choice=choice["tool"]["name"] if kind == "tool" else kind,
        stop=config.get("stopSequences") or [],
        tokens_max=config.get("maxTokens"),
        schema=json.loads(schema) if schema else None,
        thinking=thinking_of(body).get("type") not in (None, "disabled"),
    )


def usage_json(usage):
    return {
        "inputTokens": usage.uncached,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_write,
    }


def call_id(answer, index):
    return f"tooluse_{answer.tag}_{index}"


def content(answer):
    blocks = []
    for index, block in enumerate(answer.blocks):
        if block[0] == "thinking":
            text = {"text": block[1], "signature": signatures.issue(signatures.CLAUDE, block[1], answer.tag)}
            blocks.append({"reasoningContent": {"reasoningText": text}})
        elif block[0] == "call":
            call = {
                "toolUseId": call_id(answer, index),
                "name": block[1],
                "input": json.loads(block[2] or "{}"),
            }
            blocks.append({"toolUse": call})
        else:
            blocks.append({"text": block[1]})
    return blocks


def converse(answer):
    """A whole answer of Converse."""
    return {
        "output": {"message": {"role": "assistant", "content": content(answer)}},
        "stopReason": STOP[answer.stop],
        "usage": usage_json(answer.usage),
        "metrics": {"latencyMs": 12},
    }


def block_deltas(block, arguments):
    if "text" in block:
        return [{"text": piece} for piece in script.pieces(block["text"])]
    if "reasoningContent" in block:
        thought = block["reasoningContent"]["reasoningText"]
        texts = [{"reasoningContent": {"text": piece}} for piece in script.pieces(thought["text"])]
        return [*texts, {"reasoningContent": {"signature": thought["signature"]}}]
    return [{"toolUse": {"input": arguments[at : at + 5]}} for at in range(0, len(arguments), 5)]


def converse_values(answer, faults):
    """The events of ConverseStream as (type, value). Only calls have a start; usage comes after the end."""
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(content(answer)):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            names = {key: block["toolUse"][key] for key in ("toolUseId", "name")}
            yield "contentBlockStart", {"start": {"toolUse": names}, **at}
        for delta in block_deltas(block, answer.blocks[index][2] if "toolUse" in block else ""):
            yield "contentBlockDelta", {"delta": delta, **at}
        yield "contentBlockStop", at
    if "no-finish" not in faults:
        yield "messageStop", {"stopReason": STOP[answer.stop]}
        if "no-usage" not in faults and "no-done" not in faults:
            yield "metadata", {"usage": usage_json(answer.usage), "metrics": {"latencyMs": 12}}


def converse_events(answer, faults):
    """The frames of ConverseStream; the field `p` is padding that a reader ignores."""
    return [frames.event(kind, {**value, "p": "abcdefgh"}) for kind, value in converse_values(answer, faults)]


def invoke_events(answer, model, faults):
    """The frames of InvokeModelWithResponseStream: each has an event of Anthropic's, the last the metrics."""
    for event in anthropic_dialect.events(answer, model, faults):
        value = json.loads(event.split(b"data: ", 1)[1])
        if value["type"] == "ping":
            continue
        if value["type"] == "message_stop":
            value["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": answer.usage.uncached,
                "outputTokenCount": answer.usage.output,
                "invocationLatency": 12,
                "firstByteLatency": 5,
            }
        raw = json.dumps(value, ensure_ascii=False).encode()
        yield frames.event("chunk", {"bytes": frames.base64_text(raw), "p": "abcd"})


def wrapped(count_input):
    """The InvokeModel body that a CountTokens request wraps."""
    return json.loads(base64.b64decode(count_input["invokeModel"]["body"]))


def titan_embedding(body):
    values = vector(body["inputText"], body.get("dimensions") or 1024)
    return {
        "embedding": values,
        "embeddingsByType": {"float": values},
        "inputTextTokenCount": len(script.pieces(body["inputText"])),
    }


def cohere_embeddings(body, tag):
    vectors = [vector(text, body.get("output_dimension") or 1024) for text in body["texts"]]
    by_type = bool(body.get("embedding_types"))
    return {
        "id": tag,
        "texts": body["texts"],
        "embeddings": {"float": vectors} if by_type else vectors,
        "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
    }
