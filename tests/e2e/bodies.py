"""Requests of every client dialect, made by hand of one Ask: what clients may write, beyond what their SDKs write.

`CASES` are the questions of the schema tests; `request(dialect, model, ask, stream)` says one in a dialect.
"""

import base64
import json
from dataclasses import dataclass, field

import media
import stack as stacks
from clients.base import ABOUT_TOOL, CITY, PERSON, TOOL

PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
PICTURE = media.base64_png(8, 6)[0]
URL = "https://example.com/cat.png"
ARGUMENTS = {"city": "Zürich"}
REASONING_INCLUDE = "reasoning.encrypted_content"
LOGPROBS_INCLUDE = "message.output_text.logprobs"


@dataclass
class Ask:
    """What a client asks. `results` are of calls in the turn before; "ERROR: x" is one that failed."""

    model: str = "fake-text"
    text: str = "Hello there, friend"
    system: str = ""
    before: str = ""  # what the assistant said in an earlier turn
    image: str = ""
    image_url: str = ""
    document: str = ""
    tools: bool = False
    choice: str = "auto"  # any, or the name of the tool
    single: bool = False  # no parallel calls
    results: list = field(default_factory=list)
    schema: dict | None = None
    thinking: bool = False
    stop: list = field(default_factory=list)
    limit: int = 8000
    sampling: bool = False
    logprobs: bool = False
    labels: dict = field(default_factory=dict)
    cached: bool = False
    only: tuple = tuple(stacks.UPSTREAMS)  # the client dialects that can say it
    over: tuple = tuple(stacks.UPSTREAMS)  # the upstreams that can be told it


CASES = {
    "text": Ask(system="Be brief."),
    "turns": Ask(before="Four.", text="And three more?"),
    "tool": Ask("fake-text-tools", tools=True),
    "forced tool": Ask("fake-tools", tools=True, choice=TOOL, single=True),
    "any tool": Ask("fake-tools", tools=True, choice="any"),
    "parallel tools": Ask("fake-parallel-tools", tools=True),
    "interleaved tools": Ask("fake-interleaved-tools", tools=True),
    "empty arguments": Ask("fake-empty-args", tools=True),
    "tool results": Ask("fake-tools", tools=True, results=["sunny", "rain"]),
    "tool error": Ask("fake-tools", tools=True, results=["ERROR: the station is down"]),
    "image": Ask("fake-vision", image=PICTURE),
    # For the others Weir would fetch the picture, from a network that tests do not have.
    "image by URL": Ask(
        "fake-vision", image_url=URL, only=("oai", "rsp", "ant", "gem"), over=("oai", "rsp", "ant")
    ),
    "document": Ask(document=PDF),
    "thinking": Ask("fake-thinking", thinking=True),
    "thinking and tools": Ask("fake-agent", thinking=True, tools=True),
    "structured output": Ask("fake-json", schema=PERSON),
    "stop sequence": Ask(text="one two three", stop=["two"], only=("oai", "ant", "cnv", "inv", "gem")),
    "length": Ask("fake-length"),
    "refusal": Ask("fake-refusal"),
    "cached usage": Ask("fake-usage-cached", system="Be brief.", cached=True),
    "unicode": Ask("fake-unicode", text='naïve 東京 👩‍👩‍👧‍👦 \u2028 "x" \\ \t'),
    # Over 256 KB a body is read and written beside the cores; fake-vision says little of it.
    "long text": Ask("fake-vision", text='A line, "quoted", and a tab\t. ' * 10_000),
    "sampling": Ask(sampling=True),
    "logprobs": Ask(logprobs=True, only=("oai", "rsp", "gem")),
    "labels": Ask(labels={"team": "weir"}, only=("oai", "rsp", "ant", "cnv", "inv")),
}


def call_ids(ask):
    return [f"call_a{number}" for number in range(len(ask.results))]


def read_result(text):
    """(text, whether it is an error)"""
    return text.removeprefix("ERROR: "), text.startswith("ERROR: ")


def openai_chat(ask):
    parts = [{"type": "text", "text": ask.text}]
    urls = [f"data:image/png;base64,{ask.image}"] if ask.image else []
    for url in [*urls, *filter(None, [ask.image_url])]:
        parts.append({"type": "image_url", "image_url": {"url": url}})
    if ask.document:
        file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{ask.document}"}
        parts.append({"type": "file", "file": file})
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    if ask.before:
        messages += [{"role": "user", "content": "First."}, {"role": "assistant", "content": ask.before}]
    messages.append({"role": "user", "content": ask.text if len(parts) == 1 else parts})
    if ask.results:
        function = {"name": TOOL, "arguments": json.dumps(ARGUMENTS)}
        calls = [{"id": name, "type": "function", "function": function} for name in call_ids(ask)]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        for name, text in zip(call_ids(ask), ask.results, strict=True):
            messages.append({"role": "tool", "tool_call_id": name, "content": text})
    body = {"messages": messages, "max_completion_tokens": ask.limit}
    if ask.tools:
        function = {"name": TOOL, "description": ABOUT_TOOL, "parameters": CITY}
        body["tools"] = [{"type": "function", "function": function}]
        named = {"type": "function", "function": {"name": TOOL}}
        body["tool_choice"] = {"auto": "auto", "any": "required"}.get(ask.choice, named)
    if ask.single:
        body["parallel_tool_calls"] = False
    if ask.schema:
        schema = {"name": "person", "strict": True, "schema": ask.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    body |= {"reasoning_effort": "low"} if ask.thinking else {}
    body |= {"stop": ask.stop} if ask.stop else {}
    body |= {"temperature": 0.5, "seed": 7, "frequency_penalty": 0.1} if ask.sampling else {}
    body |= {"logprobs": True, "top_logprobs": 2} if ask.logprobs else {}
    body |= {"metadata": ask.labels, "safety_identifier": "user-1"} if ask.labels else {}
    return body


def openai_responses(ask):
    parts = [{"type": "input_text", "text": ask.text}]
    urls = [f"data:image/png;base64,{ask.image}"] if ask.image else []
    for url in [*urls, *filter(None, [ask.image_url])]:
        parts.append({"type": "input_image", "image_url": url, "detail": "auto"})
    if ask.document:
        data = f"data:application/pdf;base64,{ask.document}"
        parts.append({"type": "input_file", "filename": "a.pdf", "file_data": data})
    items = []
    if ask.before:
        items += [{"role": "user", "content": "First."}, {"role": "assistant", "content": ask.before}]
    items.append({"role": "user", "content": ask.text if len(parts) == 1 else parts})
    for name in call_ids(ask):
        call = {"type": "function_call", "call_id": name, "name": TOOL, "arguments": json.dumps(ARGUMENTS)}
        items.append(call)
    for name, text in zip(call_ids(ask), ask.results, strict=True):
        items.append({"type": "function_call_output", "call_id": name, "output": text})
    body = {"input": items, "max_output_tokens": ask.limit, "store": False}
    body |= {"instructions": ask.system} if ask.system else {}
    if ask.tools:
        tool = {"type": "function", "name": TOOL, "description": ABOUT_TOOL, "parameters": CITY}
        body["tools"] = [{**tool, "strict": False}]
        named = {"type": "function", "name": TOOL}
        body["tool_choice"] = {"auto": "auto", "any": "required"}.get(ask.choice, named)
    if ask.single:
        body["parallel_tool_calls"] = False
    if ask.schema:
        form = {"type": "json_schema", "name": "person", "strict": True, "schema": ask.schema}
        body["text"] = {"format": form}
    if ask.thinking:
        body |= {"reasoning": {"effort": "low", "summary": "auto"}, "include": [REASONING_INCLUDE]}
    body |= {"temperature": 0.5} if ask.sampling else {}
    body |= {"include": [LOGPROBS_INCLUDE], "top_logprobs": 2} if ask.logprobs else {}
    body |= {"metadata": ask.labels, "safety_identifier": "user-1"} if ask.labels else {}
    return body


def anthropic_messages(ask):
    content = [{"type": "text", "text": ask.text}]
    if ask.image:
        source = {"type": "base64", "media_type": "image/png", "data": ask.image}
        content.append({"type": "image", "source": source})
    if ask.image_url:
        content.append({"type": "image", "source": {"type": "url", "url": ask.image_url}})
    if ask.document:
        source = {"type": "base64", "media_type": "application/pdf", "data": ask.document}
        content.append({"type": "document", "source": source, "title": "a.pdf"})
    messages = []
    if ask.before:
        messages += [{"role": "user", "content": "First."}, {"role": "assistant", "content": ask.before}]
    messages.append({"role": "user", "content": content})
    if ask.results:
        calls = [{"type": "tool_use", "id": name, "name": TOOL, "input": ARGUMENTS} for name in call_ids(ask)]
        results = []
        for name, (text, is_error) in zip(call_ids(ask), map(read_result, ask.results), strict=True):
            results.append({"type": "tool_result", "tool_use_id": name, "content": text, "is_error": is_error})
        messages += [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
    body = {"messages": messages, "max_tokens": ask.limit}
    if ask.system:
        marker = {"cache_control": {"type": "ephemeral"}} if ask.cached else {}
        body["system"] = [{"type": "text", "text": ask.system, **marker}]
    if ask.tools:
        body["tools"] = [{"name": TOOL, "description": ABOUT_TOOL, "input_schema": CITY}]
        choice = {"type": ask.choice} if ask.choice in ("auto", "any") else {"type": "tool", "name": TOOL}
        body["tool_choice"] = {**choice, **({"disable_parallel_tool_use": True} if ask.single else {})}
    if ask.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    body |= {"thinking": {"type": "enabled", "budget_tokens": 1024}} if ask.thinking else {}
    body |= {"stop_sequences": ask.stop} if ask.stop else {}
    body |= {"temperature": 0.5, "top_k": 5} if ask.sampling else {}
    body |= {"metadata": {"user_id": "user-1"}} if ask.labels else {}
    return body


def converse(ask):
    content = [{"text": ask.text}]
    if ask.image:
        content.append({"image": {"format": "png", "source": {"bytes": ask.image}}})
    if ask.document:
        content.append({"document": {"format": "pdf", "name": "a", "source": {"bytes": ask.document}}})
    messages = []
    if ask.before:
        messages.append({"role": "user", "content": [{"text": "First."}]})
        messages.append({"role": "assistant", "content": [{"text": ask.before}]})
    messages.append({"role": "user", "content": content})
    if ask.results:
        call = {"name": TOOL, "input": ARGUMENTS}
        calls = [{"toolUse": {"toolUseId": name, **call}} for name in call_ids(ask)]
        results = []
        for name, (text, is_error) in zip(call_ids(ask), map(read_result, ask.results), strict=True):
            status = "error" if is_error else "success"
            result = {"toolUseId": name, "content": [{"text": text}], "status": status}
            results.append({"toolResult": result})
        messages += [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
    config = {"maxTokens": ask.limit}
    config |= {"stopSequences": ask.stop} if ask.stop else {}
    config |= {"temperature": 0.5, "topP": 0.9} if ask.sampling else {}
    body = {"messages": messages, "inferenceConfig": config}
    if ask.system:
        marker = [{"cachePoint": {"type": "default"}}] if ask.cached else []
        body["system"] = [{"text": ask.system}, *marker]
    if ask.tools:
        spec = {"name": TOOL, "description": ABOUT_TOOL, "inputSchema": {"json": CITY}}
        choice = {ask.choice: {}} if ask.choice in ("auto", "any") else {"tool": {"name": TOOL}}
        body["toolConfig"] = {"tools": [{"toolSpec": spec}], "toolChoice": choice}
    if ask.schema:
        structure = {"jsonSchema": {"name": "person", "schema": json.dumps(ask.schema)}}
        body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
    if ask.thinking:
        body["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    body |= {"requestMetadata": ask.labels} if ask.labels else {}
    return body


def gemini(ask):
    parts = [{"text": ask.text}]
    if ask.image:
        parts.append({"inlineData": {"mimeType": "image/png", "data": ask.image}})
    if ask.image_url:
        parts.append({"fileData": {"mimeType": "image/png", "fileUri": ask.image_url}})
    if ask.document:
        parts.append({"inlineData": {"mimeType": "application/pdf", "data": ask.document}})
    contents = []
    if ask.before:
        contents.append({"role": "user", "parts": [{"text": "First."}]})
        contents.append({"role": "model", "parts": [{"text": ask.before}]})
    contents.append({"role": "user", "parts": parts})
    if ask.results:
        calls = [{"functionCall": {"name": TOOL, "args": ARGUMENTS}} for _ in ask.results]
        results = []
        for text, is_error in map(read_result, ask.results):
            response = {"error" if is_error else "output": text}
            results.append({"functionResponse": {"name": TOOL, "response": response}})
        contents += [{"role": "model", "parts": calls}, {"role": "user", "parts": results}]
    config = {"maxOutputTokens": ask.limit}
    config |= {"stopSequences": ask.stop} if ask.stop else {}
    config |= {"temperature": 0.5, "topK": 5, "seed": 7} if ask.sampling else {}
    config |= {"responseLogprobs": True, "logprobs": 2} if ask.logprobs else {}
    if ask.schema:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": ask.schema}
    if ask.thinking:
        config["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": 1024}
    body = {"contents": contents, "generationConfig": config}
    body |= {"systemInstruction": {"parts": [{"text": ask.system}]}} if ask.system else {}
    if ask.tools:
        declared = {"name": TOOL, "description": ABOUT_TOOL, "parametersJsonSchema": CITY}
        body["tools"] = [{"functionDeclarations": [declared]}]
        chosen = {"mode": "AUTO" if ask.choice == "auto" else "ANY"}
        chosen |= {} if ask.choice in ("auto", "any") else {"allowedFunctionNames": [TOOL]}
        body["toolConfig"] = {"functionCallingConfig": chosen}
    return body


WAYS = {  # (whole, streamed)
    "cnv": ("converse", "converse-stream"),
    "inv": ("invoke", "invoke-with-response-stream"),
    "gem": (":generateContent", ":streamGenerateContent?alt=sse"),
}


def request(dialect, model, ask, stream):
    """(path, headers, body) of one request."""
    if dialect == "oai":
        usage = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        return "/v1/chat/completions", {}, {"model": model, **openai_chat(ask), **usage}
    flag = {"stream": True} if stream else {}
    if dialect == "rsp":
        return "/v1/responses", {}, {"model": model, **openai_responses(ask), **flag}
    if dialect == "ant":
        headers = {"anthropic-version": "2023-06-01"}
        return "/v1/messages", headers, {"model": model, **anthropic_messages(ask), **flag}
    way = WAYS[dialect][stream]
    if dialect == "gem":
        return f"/v1beta/models/{model}{way}", {}, gemini(ask)
    if dialect == "cnv":
        return f"/model/{model}/{way}", {}, converse(ask)
    return f"/model/{model}/{way}", {}, {"anthropic_version": "bedrock-2023-05-31", **anthropic_messages(ask)}
