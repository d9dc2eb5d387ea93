"""What Google's generateContent refuses: the types of its own Python SDK, and the rules that it enforces.

Google publishes no schema of the wire; the SDK's types forbid unknown fields and name the known ones. Without
the SDK only the rules here are checked.
"""

import re

from . import gemini_dialect, published, signatures

FIELDS = {
    "contents": list,
    "systemInstruction": dict,
    "tools": list,
    "toolConfig": dict,
    "generationConfig": dict,
    "safetySettings": list,
    "cachedContent": str,
    "labels": dict,
    "serviceTier": str,
    "store": bool,
    "model": str,
}
TYPES = {  # field: (name of the SDK's type, whether a list of them)
    "contents": ("Content", True),
    "systemInstruction": ("Content", False),
    "tools": ("Tool", True),
    "toolConfig": ("ToolConfig", False),
    "generationConfig": ("GenerationConfig", False),
    "safetySettings": ("SafetySetting", True),
}
PART_DATA = {
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")


def by_types(body):
    """What the SDK's types have against the fields of a body."""
    for key, (name, many) in TYPES.items():
        for index, value in enumerate((body[key] if many else [body[key]]) if key in body else []):
            for problem in published.problems(f"{published.GOOGLE}:{name}", value):
                yield f"{key}/{index}/{problem}"


def parts_of(content, kind):
    return [part[kind] for part in content.get("parts") or [] if kind in part]


def contents(items):
    for index, content in enumerate(items):
        path = f"contents/{index}"
        if content.get("role") not in ("user", "model"):
            yield f"{path}/role: Please use a valid role: user, model."
        if not content.get("parts"):
            yield f"{path}/parts: must not be empty"
        for at, part in enumerate(content.get("parts") or []):
            data = set(part) & PART_DATA
            if len(data) != 1:
                yield f"{path}/parts/{at}: required oneof field 'data' must have one initialized field"
            if index and not part.get("text") and data == {"text"} and "thoughtSignature" not in part:
                yield f"{path}/parts/{at}: empty text"
        if index and items[index - 1].get("role") == content.get("role"):
            yield f"{path}: roles must alternate between user and model"
    if items[0].get("role") != "user":
        yield "contents/0: the first turn must be of the user"


def pairing(items):
    """A turn of calls is followed by a turn of as many responses, in their order, and of nothing else."""
    waiting = []
    for index, content in enumerate(items):
        names = [response["name"] for response in parts_of(content, "functionResponse")]
        if names != waiting:
            yield f"contents/{index}: function responses {names} where {waiting} were called"
        if names and len(names) != len(content["parts"]):
            yield f"contents/{index}: function response parts must stand alone in their turn"
        for response in parts_of(content, "functionResponse"):
            if not isinstance(response.get("response"), dict):
                yield f"contents/{index}: functionResponse.response must be an object"
        waiting = [call["name"] for call in parts_of(content, "functionCall")]
    if waiting:
        yield f"contents: the calls {waiting} have no function response"


def thoughts(items, thinks):
    """The first call of each step of the current turn has its signature; every signature is genuine."""
    begins = [index for index, item in enumerate(items) if item["role"] == "user" and parts_of(item, "text")]
    current = begins[-1] if begins else 0
    for index, content in enumerate(items):
        first = True
        for at, part in enumerate(content["parts"]):
            call, signature = part.get("functionCall"), part.get("thoughtSignature")
            text = gemini_dialect.call_text(call) if call else "text"
            path = f"contents/{index}/parts/{at}"
            if signature and signature not in signatures.GOOGLE_DUMMIES:
                if not signatures.is_genuine(signatures.GOOGLE, text, signature):
                    yield f"{path}: Corrupted thought signature."
            elif thinks and call and first and index > current and not signature:
                yield f"{path}: Function call is missing a thought_signature in functionCall parts."
            first = first and not call


def tools(body):
    names = []
    for tool in body.get("tools") or []:
        for one in tool.get("functionDeclarations") or []:
            names.append(one.get("name"))
            if not NAME.fullmatch(one.get("name") or ""):
                yield f"tools: Invalid function name {one.get('name')!r}"
            if "parameters" in one and "parametersJsonSchema" in one:
                yield f"tools/{one.get('name')}: only one of parameters and parametersJsonSchema may be set"
    if len(set(names)) != len(names):
        yield "tools: Duplicate function declaration found"
    chosen = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    for name in chosen.get("allowedFunctionNames") or []:
        if name not in names:
            yield f"toolConfig: allowed function {name} is not declared"
        if chosen.get("mode") not in ("ANY", "VALIDATED"):
            yield "toolConfig: allowed_function_names needs the mode ANY"


def generation(config):
    if config.get("responseSchema") is not None or config.get("responseJsonSchema") is not None:
        if config.get("responseMimeType") not in ("application/json", "text/x.enum"):
            yield "generationConfig: a response schema needs responseMimeType application/json"
        if "responseSchema" in config and "responseJsonSchema" in config:
            yield "generationConfig: only one kind of schema may be set"
    if not 0 <= config.get("temperature", 0) <= 2:
        yield "generationConfig/temperature: must be in [0, 2]"
    if len(config.get("stopSequences") or []) > 5:
        yield "generationConfig/stopSequences: at most 5"
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "generationConfig/thinkingConfig: thinkingBudget and thinkingLevel exclude each other"


def generate(body, thinks):
    found = [f"{key}: unknown field" for key in body if key not in FIELDS]
    found += [
        f"{key}: wrong type" for key, value in body.items() if not isinstance(value, FIELDS.get(key, object))
    ]
    if not body.get("contents"):
        found.append("contents: contents is not specified")
    if found := found or [*by_types(body)]:
        return found
    found = [*contents(body["contents"]), *tools(body), *generation(body.get("generationConfig") or {})]
    return found or [*pairing(body["contents"]), *thoughts(body["contents"], thinks)]


def count(body, thinks):
    if set(body) == {"generateContentRequest"}:
        return generate(body["generateContentRequest"], thinks)
    if set(body) - {"contents", "model"}:
        return [f"countTokens: unknown fields {sorted(set(body) - {'contents'})}"]
    return generate(body, thinks)


EMBED = {"content", "model", "taskType", "title", "outputDimensionality", "autoTruncate"}


def embed(body, model):
    if set(body) - EMBED:
        return [f"embedContent: unknown fields {sorted(set(body) - EMBED)}"]
    if found := published.problems(f"{published.GOOGLE}:Content", body.get("content") or {}):
        return [f"content/{problem}" for problem in found]
    if not (body.get("content") or {}).get("parts"):
        return ["embedContent: content is required"]
    if body.get("model", f"models/{model}") != f"models/{model}":
        return [f"embedContent: the model {body['model']} is not that of the path"]
    return []


def embed_all(body, model):
    requests = body.get("requests")
    if set(body) != {"requests"} or not requests:
        return ["batchEmbedContents: requests, and nothing else, is required"]
    if len(requests) > 100:
        return ["batchEmbedContents: at most 100 requests can be in one batch"]
    missing = ["model: required in each request"] if any("model" not in one for one in requests) else []
    return missing + [problem for request in requests for problem in embed(request, model)]
