"""What Amazon Bedrock refuses: its Smithy model, and the rules of Converse with a Claude model behind it."""

import json

from . import anthropic_checks, bedrock_dialect, signatures, smithy

# The version of AWS's documents, and that which Anthropic's own Bedrock SDK 1.x writes into the body.
INVOKE_VERSIONS = {"bedrock-2023-05-31": "2023-06-01", "2026-10-21": "2026-10-21"}
TITAN = {"inputText": str, "dimensions": int, "normalize": bool, "embeddingTypes": list}
COHERE = {
    "texts": list,
    "input_type": str,
    "truncate": str,
    "embedding_types": list,
    "images": list,
    "output_dimension": int,
    "max_tokens": int,
}
COHERE_INPUTS = {"search_document", "search_query", "classification", "clustering", "image"}


def roles(messages):
    for index, message in enumerate(messages):
        wanted = "user" if index % 2 == 0 else "assistant"
        if message["role"] != wanted:
            yield f"messages/{index}: A conversation must alternate between user and assistant roles"
        if not message["content"]:
            yield f"messages/{index}: The content field in the Message object is empty"
        for at, block in enumerate(message["content"]):
            if "text" in block and not block["text"].strip():
                yield f"messages/{index}/content/{at}: The text field in the ContentBlock object is blank"
            if message["role"] == "assistant" and {"image", "document", "toolResult"} & set(block):
                yield f"messages/{index}/content/{at}: may only be in a turn of the user"
            if message["role"] == "user" and {"toolUse", "reasoningContent"} & set(block):
                yield f"messages/{index}/content/{at}: may only be in a turn of the assistant"
        documents = [block for block in message["content"] if "document" in block]
        if documents and not any("text" in block for block in message["content"]):
            yield f"messages/{index}: a document needs a text block beside it"


def pairing(messages):
    """The results of a round of calls stand first in the very next turn, each exactly once."""
    waiting = []
    for index, message in enumerate(messages):
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if sorted(results) != sorted(waiting):
            yield f"messages/{index}: toolResult ids {results} where {waiting} were called"
        kinds = ["toolResult" in block for block in message["content"] if "cachePoint" not in block]
        if kinds != sorted(kinds, reverse=True):
            yield f"messages/{index}: toolResult blocks must come first"
        waiting = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        if len(set(waiting)) != len(waiting):
            yield f"messages/{index}: toolUse ids must be unique"
        for block in message["content"]:
            if "toolUse" in block and not isinstance(block["toolUse"]["input"], dict):
                yield f"messages/{index}: toolUse.input must be an object"
    if waiting:
        yield f"messages: toolUse ids {waiting} without toolResult blocks"


def tools(body):
    used = [block for message in body["messages"] for block in message["content"]]
    config = body.get("toolConfig")
    if config is None:
        if any({"toolUse", "toolResult"} & set(block) for block in used):
            yield "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        return
    specs = [tool["toolSpec"] for tool in config["tools"] if "toolSpec" in tool]
    names = [spec["name"] for spec in specs]
    if len(set(names)) != len(names):
        yield "toolConfig: tool names must be unique"
    if not names:
        yield "toolConfig: at least one tool"
    for spec in specs:
        if (spec["inputSchema"].get("json") or {}).get("type") != "object":
            yield f"toolConfig/{spec['name']}: inputSchema.json.type must be object"
    wanted = (config.get("toolChoice") or {}).get("tool")
    if wanted and wanted["name"] not in names:
        yield f"toolConfig/toolChoice: there is no tool {wanted['name']}"


def thoughts(body):
    """Thinking is as Claude has it: genuine wherever it comes back, and first in the turn of a tool loop."""
    for index, message in enumerate(body["messages"]):
        for block in message["content"]:
            thought = (block.get("reasoningContent") or {}).get("reasoningText")
            if thought and not signatures.is_genuine(
                signatures.CLAUDE, thought["text"], thought.get("signature")
            ):
                yield f"messages/{index}: Invalid `signature` in `thinking` block"
    thinking = bedrock_dialect.thinking_of(body)
    if thinking.get("type") in (None, "disabled"):
        return
    config = body.get("inferenceConfig") or {}
    budget = thinking.get("budget_tokens", 1024)
    if budget < 1024 or budget >= config.get("maxTokens", budget + 1):
        yield "thinking.budget_tokens: must be at least 1024 and less than maxTokens"
    if config.get("temperature", 1) != 1:
        yield "temperature: may only be 1 with thinking"
    if {"any", "tool"} & set((body.get("toolConfig") or {}).get("toolChoice") or {}):
        yield "toolChoice: thinking may not be enabled when toolChoice forces tool use"
    last = [message for message in body["messages"] if message["role"] == "assistant"][-1:]
    for message in last:
        if any("toolUse" in block for block in message["content"]):
            if "reasoningContent" not in message["content"][0]:
                yield "messages: expected thinking before toolUse when thinking is enabled"


def converse(body):
    """The problems of a Converse body; an empty list is a good one."""
    found = smithy.problems("ConverseRequest", body)
    if not body.get("messages"):
        found.append("messages: at least one message is required")
    if found:
        return found
    found = [*roles(body["messages"]), *tools(body)] or [*pairing(body["messages"]), *thoughts(body)]
    points = json.dumps([body.get(key) for key in ("system", "messages", "toolConfig")]).count('"cachePoint"')
    return found + (["cachePoint: at most 4"] if points > 4 else [])


def invoke(body):
    """The problems of an InvokeModel body in Anthropic's shape."""
    version = INVOKE_VERSIONS.get(body.get("anthropic_version"))
    if version is None:
        return [f"anthropic_version: must be one of {sorted(INVOKE_VERSIONS)}"]
    found = [f"extraneous key [{key}] is not permitted" for key in ("model", "stream") if key in body]
    beta = body.get("anthropic_beta", [])
    if not isinstance(beta, list) or not all(isinstance(one, str) for one in beta):
        found.append("anthropic_beta: must be a list of texts")
    plain = {key: value for key, value in body.items() if key not in ("anthropic_version", "anthropic_beta")}
    return found or anthropic_checks.check(version, {**plain, "model": "m"})


def fields(body, known, required):
    found = [f"extraneous key [{key}] is not permitted" for key in body if key not in known]
    found += [f"required key [{key}] not found" for key in required if key not in body]
    return found + [
        f"{key}: wrong type" for key, value in body.items() if not isinstance(value, known.get(key, object))
    ]


def titan(body):
    found = fields(body, TITAN, ["inputText"])
    if not found and not body["inputText"]:
        found.append("inputText: expected minLength: 1")
    if body.get("dimensions", 256) not in (256, 512, 1024):
        found.append("dimensions: is not one of 256, 512, 1024")
    return found


def cohere(body):
    found = fields(body, COHERE, ["texts", "input_type"])
    if found:
        return found
    if not 1 <= len(body["texts"]) <= 96 or not all(isinstance(text, str) for text in body["texts"]):
        found.append("texts: 1 to 96 texts")
    if body["input_type"] not in COHERE_INPUTS:
        found.append(f"input_type: {body['input_type']} is unknown")
    if body.get("truncate", "NONE") not in ("NONE", "START", "END", "LEFT", "RIGHT"):
        found.append("truncate: unknown")
    return found


def count(body):
    """The problems of a CountTokens body, and of what it wraps."""
    found = smithy.problems("CountTokensRequest", body)
    inner = body.get("input") or {}
    if found or set(inner) - {"converse", "invokeModel"} or len(inner) != 1:
        return found or ["input: a union has exactly one member"]
    if "converse" in inner:
        return converse(inner["converse"])
    return invoke(bedrock_dialect.wrapped(inner))
