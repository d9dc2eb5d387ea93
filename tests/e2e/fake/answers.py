"""What an answer of each dialect must be: the vendors' own documents, and the types of their own SDKs.

Both are held strictly (openai_document.py, smithy.py, published.py). What vendors write beyond what they publish
is taken off first, in `beyond`, each with who writes it; all else that no document knows is a problem.
"""

import re

from . import frames, gemini_dialect, published, smithy

# dialect: (schema of OpenAI's document, type of the SDK) of a whole answer and of an event of a stream
OPENAI = {
    "oai": (
        ("CreateChatCompletionResponse", f"{published.CHAT}:ChatCompletion"),
        ("CreateChatCompletionStreamResponse", f"{published.CHAT}:ChatCompletionChunk"),
    ),
    "text": (
        ("CreateCompletionResponse", "openai.types:Completion"),
        ("CreateCompletionResponse", "openai.types:Completion"),
    ),
    "rsp": (
        ("Response", f"{published.RESPONSES}:Response"),
        ("ResponseStreamEvent", f"{published.RESPONSES}:ResponseStreamEvent"),
    ),
    "embeddings": (("CreateEmbeddingResponse", "openai.types:CreateEmbeddingResponse"), None),
    "models": (("ListModelsResponse", None), None),
    "input tokens": (("TokenCountsResource", f"{published.RESPONSES}:InputTokenCountResponse"), None),
}
TYPED = {  # the same of the vendors that publish nothing but SDKs
    "ant": (f"{published.ANTHROPIC}:Message", f"{published.ANTHROPIC}:RawMessageStreamEvent"),
    "inv": (f"{published.ANTHROPIC}:Message", f"{published.ANTHROPIC}:RawMessageStreamEvent"),
    "ant model": (f"{published.ANTHROPIC}:ModelInfo", None),
    "ant count": (f"{published.ANTHROPIC}:MessageTokensCount", None),
    "gem": (f"{published.GOOGLE}:GenerateContentResponse", f"{published.GOOGLE}:GenerateContentResponse"),
    "gem embedding": (f"{published.GOOGLE}:ContentEmbedding", None),
    "gem count": (f"{published.GOOGLE}:CountTokensResponse", None),
}
BEDROCK = {"cnv": ("ConverseResponse", "ConverseStreamOutput"), "aws count": ("CountTokensResponse", None)}
METRICS = "amazon-bedrock-invocationMetrics"
GOOGLE_CODES = {*gemini_dialect.STATUS.values(), "FAILED_PRECONDITION", "UNIMPLEMENTED", "CANCELLED"}


def without(value, *names):
    return {name: item for name, item in value.items() if name not in names}


def without_stop(choice):
    """vLLM and others: which of the stop sequences has matched."""
    return without(choice, "stop_reason") if isinstance(choice.get("stop_reason"), str) else choice


def chat_choice(choice):
    choice = without_stop(choice)
    key = "delta" if "delta" in choice else "message"
    inner = choice.get(key)
    if not isinstance(inner, dict):
        return choice
    if isinstance(inner.get("reasoning_content"), str):
        inner = without(inner, "reasoning_content")  # DeepSeek, Qwen, vLLM and others: what the model thinks
    copied = inner.get("provider_metadata")
    if isinstance(copied, dict) and all(list(item) == ["citations"] for item in copied.values()):
        inner = without(inner, "provider_metadata")  # Weir: citations that annotations cannot hold
    if isinstance(inner.get("thinking_blocks"), list):
        for block in inner["thinking_blocks"]:  # LiteLLM and others: thinking with what signs it, as Anthropic has it
            if published.problems(f"{published.ANTHROPIC}:{THOUGHTS[block['type']]}", block):
                return choice
        inner = without(inner, "thinking_blocks")
    return {**choice, key: inner}


def text_choice(choice):
    choice = without_stop(choice)
    if choice.get("finish_reason", "") is None:
        return {**choice, "finish_reason": "stop"}  # OpenAI itself, in every chunk but the last
    return choice


THOUGHTS = {"thinking": "ThinkingBlock", "redacted_thinking": "RedactedThinkingBlock"}
CHOICES = {"oai": chat_choice, "text": text_choice}


def beyond(dialect, value):
    """The value without the members that vendors write and publish nowhere."""
    if dialect in ("oai", "text") and value.get("system_fingerprint", "") is None:
        value = without(value, "system_fingerprint")  # OpenAI itself writes nulls that its document forbids
    if dialect == "text" and value.get("usage", "") is None:
        value = without(value, "usage")
    if dialect in ("oai", "text"):
        given = value.get("choices")
        if isinstance(given, list) and all(isinstance(choice, dict) for choice in given):
            value = {**value, "choices": [CHOICES[dialect](choice) for choice in given]}
        return value
    if dialect == "rsp":
        if isinstance(value.get("response"), dict):
            value = {**value, "response": beyond(dialect, value["response"])}
        return without(value, "store") if isinstance(value.get("store"), bool) else value  # OpenAI itself
    if dialect == "inv" and value.get("type") == "message_stop":
        return without(value, METRICS)  # AWS; its members are checked apart
    return value


def openai(document, names, value):
    schema, kind = names
    found = document.problems(schema, value, overlapping=True)
    if value.get("type") == "response.function_call_arguments.done" and isinstance(value.get("name"), str):
        value = without(value, "name")  # the document requires it, the SDK's type lacks it
    return found + (published.problems(kind, value) if kind else [])


def snake(value, path=""):
    """Members that Google's types take under their Python names; none of its servers writes such."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from snake(item, f"{path}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if "_" in name:
                yield f"{path}/{name}: not in camelCase"
            if name not in gemini_dialect.FREE:
                yield from snake(item, f"{path}/{name}")


def roles(value):
    """Who speaks, which is a mere text to Google's types."""
    for index, candidate in enumerate(value.get("candidates") or []):
        role = (candidate.get("content") or {}).get("role", "model")
        if role != "model":
            yield f"candidates/{index}/content/role: {role}"


def metrics(value):
    wanted = {"inputTokenCount", "outputTokenCount", "invocationLatency", "firstByteLatency"}
    wanted |= {"cacheReadInputTokenCount", "cacheWriteInputTokenCount"}
    for name, item in (value.get(METRICS) or {}).items():
        if name not in wanted or not isinstance(item, int):
            yield f"{METRICS}/{name}: {item!r}"


def problems(document, dialect, value, is_event=False):
    """What the vendor of `dialect` would not recognise in a whole answer or one event of a stream.

    `dialect` is a name of the tables above. An event of Converse is {its type: its value}.
    """
    if not isinstance(value, dict):
        return ["body: not an object"]
    plain = beyond(dialect, value)
    if dialect in OPENAI:
        return openai(document, OPENAI[dialect][is_event], plain)
    if dialect in BEDROCK:
        return smithy.problems(BEDROCK[dialect][is_event], plain)
    if plain == {"type": "ping"} and dialect == "ant" and is_event:
        return []  # of no type: SDKs skip it
    found = published.problems(TYPED[dialect][is_event], plain)
    if found or not dialect.startswith("gem"):
        return [*found, *metrics(value)]
    return [*snake(plain), *roles(plain)]


def google_error(value):
    """google.rpc.Status in JSON, as Google's guide to its APIs has it; its SDK reads the same names."""
    inner = value.get("error")
    if set(value) != {"error"} or not isinstance(inner, dict):
        return [f"body: {sorted(value)} where only `error` may be"]
    wanted = {"code": int, "message": str, "status": str, "details": list}
    found = [f"error/{name}: missing" for name in ("code", "message", "status") if name not in inner]
    for name, item in inner.items():
        if name not in wanted or not isinstance(item, wanted[name]):
            found.append(f"error/{name}: {item!r}")
    if inner.get("status") not in GOOGLE_CODES:
        found.append(f"error/status: {inner.get('status')!r} is no code of google.rpc")
    bare = [one for one in inner.get("details") or [] if "@type" not in one]
    return found + [f"error/details: without @type: {one}" for one in bare]


def aws_error(kind, value, operation):
    """An exception of Bedrock: one that the operation has, and its members."""
    name = kind.split(":")[0]
    if not smithy.shapes():
        return []
    allowed = smithy.errors()[operation]
    if name not in allowed:
        return [f"x-amzn-errortype: {name} is not one of {sorted(allowed)}"]
    return smithy.problems(name, value)


def error_problems(document, dialect, value, headers, operation=None):
    """What is wrong with the body of a failure. `operation` is Bedrock's name of it, as in its model."""
    if not isinstance(value, dict):
        return ["body: not an object"]
    if dialect in ("oai", "rsp"):
        return document.problems("ErrorResponse", value)
    if dialect == "ant":
        return published.problems(f"{published.ANTHROPIC}:ErrorResponse", value)
    if dialect == "gem":
        return google_error(value)
    return aws_error(headers.get("x-amzn-errortype", ""), value, operation)


def failure_problems(document, dialect, event):
    """What is wrong with the event that tells of a failure in the middle of a stream."""
    if dialect == "rsp":
        # OpenAI itself writes the failure into `error`, its document beside it; its SDK raises for the former.
        inner = {"error": event["error"]} if event.get("type") == "error" and "error" in event else None
        found = document.problems("ErrorResponse", inner) if inner else []
        return found + problems(document, dialect, without(event, "error") if inner else event, True)
    if dialect in ("cnv", "inv"):
        stream = {"cnv": "ConverseStreamOutput", "inv": "ResponseStream"}[dialect]
        return smithy.problems(stream, event)
    return error_problems(document, dialect, event, {})


def is_failure(dialect, event):
    """Whether an event tells of a failure."""
    if dialect in ("cnv", "inv"):
        return any(re.fullmatch(r"\w+Exception", name) for name in event)
    if dialect == "rsp":
        return event.get("type") in ("error", "response.failed")
    return "error" in event


def frames_of(data):
    """The frames of an event stream: (headers, payload) each. Raises ValueError for one that is broken."""
    while data:
        size = int.from_bytes(data[:4])
        if not 16 <= size <= len(data):
            raise ValueError("a frame that is cut off")
        yield frames.parts(data[:size])
        data = data[size:]
