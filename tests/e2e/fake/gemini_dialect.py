"""Google's generateContent: requests into conversations, answers into candidates, chunks and vectors."""

import json
import re

from . import script, signatures
from .openai_dialect import vector
from .script import Conversation, Turn

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
FINISH = {"length": "MAX_TOKENS", "refusal": "SAFETY"}


def error(status, message, details=()):
    inner = {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}
    return {"error": {**inner, "details": list(details)} if details else inner}


def retry_info(seconds):
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}


def context_length():
    return error(400, "The input token count (210000) exceeds the maximum number of tokens allowed (200000).")


def quota():
    return error(429, "You exceeded your current quota, please check your plan and billing details.")


FREE = {"args", "response", "parametersJsonSchema", "responseJsonSchema", "labels"}


def camel(value):
    """The body in camelCase: Google takes both spellings of a field, and its Python SDK mixes them."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, item in value.items():
        name = re.sub(r"_([a-z])", lambda match: match[1].upper(), key)
        if name == "properties":
            found[name] = {inner: camel(schema) for inner, schema in item.items()}
        else:
            found[name] = item if name in FREE else camel(item)
    return found


def call_text(call):
    """What a signature of a call is bound to, however its arguments are laid out."""
    return json.dumps([call["name"], call.get("args") or {}], sort_keys=True)


def read_result(response):
    value = response.get("response") or {}
    bad = "error" in value
    inner = value["error"] if bad else value.get("output", value.get("result", value))
    return inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False), bad


def read_turn(content):
    turn = Turn("assistant" if content.get("role") == "model" else "user")
    for part in content.get("parts") or []:
        if "functionResponse" in part:
            turn.results.append(read_result(part["functionResponse"]))
        elif "inlineData" in part:
            turn.images.append((part["inlineData"]["mimeType"], part["inlineData"]["data"]))
        elif "fileData" in part:
            turn.images.append(("url", part["fileData"]["fileUri"]))
        elif part.get("text") and not part.get("thought"):
            turn.texts.append(part["text"])
    return turn


def read(body):
    """A checked body as a Conversation."""
    config = body.get("generationConfig") or {}
    chosen = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    allowed = chosen.get("allowedFunctionNames") or []
    mode = {"ANY": "any", "NONE": "none"}.get(chosen.get("mode"), "auto")
    thinking = config.get("thinkingConfig") or {}
    tools = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    return Conversation(
        system=[part["text"] for part in (body.get("systemInstruction") or {}).get("parts") or []],
        turns=[read_turn(content) for content in body["contents"]],
        tools={
            tool["name"]: tool.get("parametersJsonSchema") or lowered(tool.get("parameters") or {})
            for tool in tools
        },
        tool_choice=allowed[0] if mode == "any" and len(allowed) == 1 else mode,
        stop=config.get("stopSequences") or [],
        tokens_max=config.get("maxOutputTokens"),
        schema=config.get("responseJsonSchema") or lowered(config.get("responseSchema") or {}) or None,
        thinking=bool(thinking.get("includeThoughts")) and thinking.get("thinkingBudget") != 0,
        logprobs=(config.get("logprobs") or 0) if config.get("responseLogprobs") else None,
    )


def lowered(schema):
    """A schema of Google's with the names of types as JSON Schema spells them."""
    if isinstance(schema, list):
        return [lowered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: item.lower() if key == "type" and isinstance(item, str) else lowered(item)
        for key, item in schema.items()
    }


def usage_json(usage):
    return {
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    }


def call_parts(answer, thinks):
    """The calls; a thinking model signs the first of them."""
    for index, block in enumerate(block for block in answer.blocks if block[0] == "call"):
        call = {"name": block[1], "args": json.loads(block[2] or "{}")}
        part = {"functionCall": call}
        if thinks and index == 0:
            part["thoughtSignature"] = signatures.issue(signatures.GOOGLE, call_text(call), answer.tag)
        yield part


def pieces(answer, thinks):
    """The parts of an answer as a stream brings them: text in pieces, each call whole, the signature last."""
    calls = list(call_parts(answer, thinks))
    for block in answer.blocks:
        for piece in script.pieces(block[1]) if block[0] in ("thinking", "text") else ():
            yield {"text": piece, **({"thought": True} if block[0] == "thinking" else {})}
    yield from calls
    if thinks and not calls:
        yield {"text": "", "thoughtSignature": signatures.issue(signatures.GOOGLE, "text", answer.tag)}


def whole_parts(answer, thinks):
    parts = [
        {"text": block[1], **({"thought": True} if block[0] == "thinking" else {})}
        for block in answer.blocks
        if block[0] in ("thinking", "text")
    ]
    calls = list(call_parts(answer, thinks))
    if thinks and not calls and parts:
        parts[-1]["thoughtSignature"] = signatures.issue(signatures.GOOGLE, "text", answer.tag)
    return parts + calls


def candidate(parts, finish=None, index=0):
    content = {"content": {"role": "model", "parts": parts}} if parts else {}
    return {**content, **({"finishReason": finish} if finish else {}), "index": index}


def logprobs(answer, text):
    """What a candidate tells of the tokens of its text; nothing unless it was asked for."""
    if answer.logprobs is None or not text:
        return {}
    tokens = script.likelihoods(text, answer.logprobs)

    def each(pairs):
        return [{"token": token, "tokenId": 7, "logProbability": number} for token, number in pairs]

    result = {"chosenCandidates": each((token, number) for token, number, _ in tokens)}
    if answer.logprobs:
        result["topCandidates"] = [{"candidates": each(others)} for _, _, others in tokens]
    return {"avgLogprobs": -0.25, "logprobsResult": result}


def with_logprobs(candidate, answer):
    parts = candidate.get("content", {}).get("parts", [])
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    return {**candidate, **logprobs(answer, text)}


def response(answer, model, body, thinks):
    """A whole answer, with as many equal candidates as were asked for."""
    count = (body.get("generationConfig") or {}).get("candidateCount") or 1
    finish = FINISH.get(answer.stop, "STOP")
    return {
        "candidates": [
            with_logprobs(candidate(whole_parts(answer, thinks), finish, index), answer) for index in range(count)
        ],
        "usageMetadata": usage_json(answer.usage),
        "modelVersion": model,
        "responseId": f"resp-{answer.tag}",
    }


def data_line(value):
    """One event. Google's SDK takes the line separators of Unicode for ends of lines: they are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "\x85\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f"data: {text}\r\n\r\n".encode()


def events(answer, model, body, faults, thinks):
    """The chunks of a streamed answer, as bytes. Usage is cumulative and in each of them."""
    count = (body.get("generationConfig") or {}).get("candidateCount") or 1
    base = {"modelVersion": model, "responseId": f"resp-{answer.tag}"}
    usage = {} if "no-usage" in faults else {"usageMetadata": usage_json(answer.usage)}
    found = [
        {"candidates": [with_logprobs(candidate([part], index=index), answer)], **usage, **base}
        for part in pieces(answer, thinks)
        for index in range(count)
    ]
    if "no-finish" not in faults and "no-done" not in faults:
        finish = FINISH.get(answer.stop, "STOP")
        found += [{"candidates": [candidate([], finish, index)], **usage, **base} for index in range(count)]
    return [data_line(value) for value in found]


def embedding(request):
    text = "".join(part["text"] for part in request["content"]["parts"])
    return {"values": vector(text, request.get("outputDimensionality") or 8)}


def models():
    return {
        "models": [
            {
                "name": f"models/{name}",
                "displayName": name,
                "inputTokenLimit": 200000,
                "supportedGenerationMethods": ["generateContent", "countTokens"],
            }
            for name in script.MODELS
        ]
    }
