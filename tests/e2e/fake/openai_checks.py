"""What an OpenAI provider refuses: OpenAI's OpenAPI document, its SDK's types, and the rules that neither says."""

from . import published

SCHEMAS = {
    "/v1/chat/completions": "CreateChatCompletionRequest",
    "/v1/completions": "CreateCompletionRequest",
    "/v1/embeddings": "CreateEmbeddingRequest",
}
# By role: what the vendor's own answers hold and clients send back; LangChain's name of a tool.
UNDOCUMENTED = {"assistant": {"annotations"}, "tool": {"name"}}
REASONING = "reasoning_content"  # of the assistant: what DeepSeek, Qwen and others told, and SDKs send back
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


def as_documented(message, takes_reasoning):
    """A message without what clients write into it beyond the document, and providers take."""
    if not isinstance(message, dict):
        return message
    beyond = UNDOCUMENTED.get(message.get("role"), set())
    if takes_reasoning and message.get("role") == "assistant" and isinstance(message.get(REASONING), str):
        beyond = beyond | {REASONING}
    return {key: value for key, value in message.items() if key not in beyond}


def check(document, path, body, takes_reasoning=False):
    """The problems of a request body; an empty list is a good one. OpenAI itself takes no reasoning in messages."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    plain = {key: value for key, value in body.items() if not key.startswith(EXTENSION)}
    if isinstance(body.get("messages"), list):
        plain["messages"] = [as_documented(message, takes_reasoning) for message in body["messages"]]
    problems = published.request_problems(path, plain) + document.problems(SCHEMAS[path], plain)
    if path == "/v1/chat/completions" and not problems:
        problems += pairing(body["messages"])
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        problems.append("stop: more than 4 sequences")
    return problems
