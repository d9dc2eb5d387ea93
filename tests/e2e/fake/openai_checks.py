"""What an OpenAI provider refuses: OpenAI's OpenAPI document, its SDK's types, and the rules that neither says."""

from . import published

SCHEMAS = {
    "/v1/chat/completions": "CreateChatCompletionRequest",
    "/v1/completions": "CreateCompletionRequest",
    "/v1/embeddings": "CreateEmbeddingRequest",
}
# By role: the reasoning that DeepSeek, Qwen and others told, which the AI SDK sends back; LangChain's name of a tool.
UNDOCUMENTED = {"assistant": "reasoning_content", "tool": "name"}
EXTENSION = "x_"  # unknown fields with this prefix are let through: a provider's own extension


def pairing(messages):
    """Every tool call is answered, once, by the tool messages right after it, and by nothing else."""
    problems, open_ids = [], []
    for index, message in enumerate(messages):
        if message.get("role") == "tool":
            if message.get("tool_call_id") in open_ids:
                open_ids.remove(message["tool_call_id"])
            else:
                problems.append(f"messages/{index}: tool message answers no call")
            continue
        if open_ids:
            problems.append(f"messages/{index}: calls {open_ids} are not answered before it")
        open_ids = [call.get("id") for call in message.get("tool_calls") or []]
        for call in message.get("tool_calls") or []:
            arguments = call.get("function", {}).get("arguments")
            if "function" in call and not isinstance(arguments, str):
                problems.append(f"messages/{index}/tool_calls: arguments is not a string")
    return problems + ([f"calls {open_ids} are not answered"] if open_ids else [])


def as_documented(message):
    """A message without what clients write into it beyond the document, and providers take."""
    beyond = UNDOCUMENTED.get(message.get("role")) if isinstance(message, dict) else None
    if beyond and isinstance(message.get(beyond), str):
        return {key: value for key, value in message.items() if key != beyond}
    return message


def check(document, path, body):
    """The problems of a request body; an empty list is a good one."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    plain = {key: value for key, value in body.items() if not key.startswith(EXTENSION)}
    if isinstance(body.get("messages"), list):
        plain["messages"] = [as_documented(message) for message in body["messages"]]
    problems = published.request_problems(path, plain) + document.problems(SCHEMAS[path], plain)
    if path == "/v1/chat/completions" and not problems:
        problems += pairing(body["messages"])
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        problems.append("stop: more than 4 sequences")
    return problems
