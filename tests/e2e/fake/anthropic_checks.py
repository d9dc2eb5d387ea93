"""What Anthropic's Messages API refuses: the types of its SDK, and by hand the rules that they do not say.

Version 2026-10-21 has no sampling fields; both versions allow system turns among the messages.
"""

import base64
import binascii
import re

from . import published, signatures
from .openai_checks import EXTENSION

VERSIONS = {"2023-06-01", "2026-10-21"}
ANY = object()
NUMBER = (int, float)
COMMON = {
    "model": str,
    "max_tokens": int,
    "messages": list,
    "cache_control": (dict, None),
    "container": ANY,
    "inference_geo": (str, None),
    "metadata": dict,
    "output_config": dict,
    "service_tier": str,
    "stop_sequences": list,
    "stream": bool,
    "system": (str, list),
    "thinking": dict,
    "tool_choice": dict,
    "tools": list,
}
BY_VERSION = {
    "2023-06-01": {"temperature": NUMBER, "top_k": int, "top_p": NUMBER},
    "2026-10-21": {
        "diagnostics": (dict, None),
        "speed": (str, None),
        "user_profile_id": str,
        "workspace_id": str,
    },
}
COUNTED = {
    "model",
    "messages",
    "cache_control",
    "output_config",
    "speed",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "user_profile_id",
    "workspace_id",
}
BLOCKS = {  # type: (required, optional); each field with its JSON type
    "text": ({"text": str}, {"cache_control": (dict, None), "citations": (list, None)}),
    "image": ({"source": dict}, {"cache_control": (dict, None), "transformations": (dict, None)}),
    "document": (
        {"source": dict},
        {
            "cache_control": (dict, None),
            "citations": (dict, None),
            "context": (str, None),
            "title": (str, None),
        },
    ),
    "tool_use": (
        {"id": str, "input": dict, "name": str},
        {"cache_control": (dict, None), "caller": dict, "toolset_name": (str, None)},
    ),
    "tool_result": (
        {"tool_use_id": str},
        {
            "cache_control": (dict, None),
            "content": (str, list),
            "is_error": bool,
            "toolset_name": (str, None),
        },
    ),
    "thinking": ({"signature": str, "thinking": str}, {}),
    "redacted_thinking": ({"data": str}, {}),
}
SOURCES = {
    "base64": {"data", "media_type"},
    "url": {"url"},
    "file": {"file_id"},
    "text": {"data", "media_type"},
    "content": {"content"},
}
IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
ROLE_BLOCKS = {
    "user": {"text", "image", "document", "tool_result"},
    "system": {"text"},
    "assistant": {"text", "tool_use", "thinking", "redacted_thinking"},
}
TOOL_FIELDS = {
    "name": str,
    "input_schema": dict,
    "description": str,
    "cache_control": (dict, None),
    "type": (str, None),
    "strict": bool,
    "eager_input_streaming": (bool, None),
    "defer_loading": bool,
    "input_examples": list,
    "allowed_callers": list,
}


def is_a(value, kind):
    if kind is ANY:
        return True
    if isinstance(kind, tuple):
        return any(value is None if one is None else is_a(value, one) for one in kind)
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


class Check:
    """Collects what is wrong with one body."""

    def __init__(self, version):
        self.version = version
        self.problems = []

    def bad(self, path, reason):
        self.problems.append(f"{path}: {reason}")

    def fields(self, value, path, required, optional=None, closed=True):
        """An object with exactly these fields and types; fields of an extension pass."""
        known = {**required, **(optional or {})}
        for name in required:
            if name not in value:
                self.bad(f"{path}.{name}".lstrip("."), "Field required")
        for name, item in value.items():
            at = f"{path}.{name}".lstrip(".")
            if name not in known:
                if closed and not name.startswith(EXTENSION):
                    self.bad(at, "Extra inputs are not permitted")
            elif not is_a(item, known[name]):
                self.bad(at, f"wrong type {type(item).__name__}")

    def body(self, body, counting):
        fields = {**COMMON, **BY_VERSION[self.version]}
        if counting:
            fields = {name: kind for name, kind in fields.items() if name in COUNTED}
        required = ["model", "messages"] + ([] if counting else ["max_tokens"])
        self.fields(body, "", {name: fields.pop(name) for name in required}, fields)
        if self.problems:
            return
        if not counting and body["max_tokens"] < 1:
            self.bad("max_tokens", "must be at least 1")
        self.sampling(body)
        self.system(body.get("system"))
        self.tools(body)
        self.thinking(body)
        self.output_config(body.get("output_config"))
        self.messages(body["messages"])
        if not self.problems:
            self.pairing(body["messages"])
            self.thinking_history(body)
        self.markers(body)

    def sampling(self, body):
        for name in ("temperature", "top_p"):
            if not 0 <= body.get(name, 0) <= 1:
                self.bad(name, "must be between 0 and 1")
        for index, text in enumerate(body.get("stop_sequences") or []):
            if not isinstance(text, str) or not text.strip():
                self.bad(f"stop_sequences.{index}", "each stop sequence must contain non-whitespace")
        if "metadata" in body:
            self.fields(body["metadata"], "metadata", {}, {"user_id": (str, None)})
        if body.get("service_tier", "auto") not in ("auto", "standard_only"):
            self.bad("service_tier", "unknown tier")

    def system(self, system):
        for index, block in enumerate(system if isinstance(system, list) else []):
            self.block(block, f"system.{index}", {"text"})

    def tools(self, body):
        names = []
        for index, tool in enumerate(body.get("tools") or []):
            path = f"tools.{index}"
            if tool.get("type") not in (None, "custom"):
                continue  # a server tool has fields of its own
            self.fields(tool, path, {"name": str, "input_schema": dict}, TOOL_FIELDS)
            if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool.get("name", "")):
                self.bad(f"{path}.name", "does not match the pattern")
            if tool.get("input_schema", {}).get("type") != "object":
                self.bad(f"{path}.input_schema.type", "must be object")
            names.append(tool.get("name"))
        if len(set(names)) != len(names):
            self.bad("tools", "tool names must be unique")
        choice = body.get("tool_choice")
        if choice is None:
            return
        more = {"disable_parallel_tool_use": bool}
        kinds = {"auto": ({}, more), "any": ({}, more), "none": ({}, {}), "tool": ({"name": str}, more)}
        if choice.get("type") not in kinds:
            return self.bad("tool_choice.type", "unknown")
        required, optional = kinds[choice["type"]]
        self.fields(choice, "tool_choice", {"type": str, **required}, optional)
        if not body.get("tools"):
            self.bad("tool_choice", "may only be given with tools")
        if choice["type"] == "tool" and choice.get("name") not in names:
            self.bad("tool_choice.name", "no such tool")

    def thinking(self, body):
        thinking = body.get("thinking")
        if thinking is None:
            return
        display = {"display": (str, None)}
        kinds = {
            "enabled": ({"budget_tokens": int}, display),
            "disabled": ({}, {}),
            "adaptive": ({}, display),
            "between_tools": ({}, display),
        }
        if thinking.get("type") not in kinds:
            return self.bad("thinking.type", "unknown")
        required, optional = kinds[thinking["type"]]
        self.fields(thinking, "thinking", {"type": str, **required}, optional)
        if thinking["type"] == "disabled":
            return
        budget = thinking.get("budget_tokens", 1024)
        if budget < 1024 or budget >= body.get("max_tokens", budget + 1):
            self.bad("thinking.budget_tokens", "must be at least 1024 and less than max_tokens")
        if body.get("temperature", 1) != 1:
            self.bad("temperature", "may only be 1 with thinking")
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            self.bad("tool_choice", "thinking may not be enabled when tool_choice forces tool use")

    def output_config(self, config):
        if config is None:
            return
        self.fields(config, "output_config", {}, {"effort": (str, None), "format": (dict, None)})
        if config.get("effort") not in (None, "low", "medium", "high", "xhigh", "max"):
            self.bad("output_config.effort", "unknown")
        if config.get("format") is not None:
            self.fields(config["format"], "output_config.format", {"type": str, "schema": dict})

    def messages(self, messages):
        if not messages:
            return self.bad("messages", "at least one message is required")
        for index, message in enumerate(messages):
            path = f"messages.{index}"
            self.fields(message, path, {"role": str, "content": (str, list)})
            if message.get("role") not in ROLE_BLOCKS:
                self.bad(f"{path}.role", "unknown")
                continue
            content = message.get("content")
            if content == "" or content == []:
                if not (message["role"] == "assistant" and index == len(messages) - 1):
                    self.bad(f"{path}.content", "all messages must have non-empty content")
            for at, block in enumerate(content if isinstance(content, list) else []):
                self.block(block, f"{path}.content.{at}", ROLE_BLOCKS[message["role"]])
        turns = [message["role"] for message in messages if message.get("role") != "system"]
        if turns and turns[0] != "user":
            self.bad("messages", "first message must use the user role")
        if messages[-1].get("role") == "assistant":
            self.trailing_text(messages[-1]["content"])

    def trailing_text(self, content):
        last = content if isinstance(content, str) else content[-1].get("text", "") if content else ""
        if last != last.rstrip():
            self.bad("messages", "final assistant content cannot end with trailing whitespace")

    def block(self, block, path, allowed):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in allowed:
            return self.bad(path, f"block of type {kind!r} is not allowed here")
        required, optional = BLOCKS[kind]
        self.fields(block, path, {"type": str, **required}, optional)
        if kind == "text" and not block.get("text"):
            self.bad(f"{path}.text", "text content blocks must be non-empty")
        if kind == "tool_use" and not re.fullmatch(r"[a-zA-Z0-9_-]+", block.get("id", "")):
            self.bad(f"{path}.id", "does not match the pattern")
        if kind == "thinking" and not signatures.is_genuine(
            signatures.CLAUDE, block.get("thinking"), block.get("signature")
        ):
            self.bad(path, "Invalid `signature` in `thinking` block")
        if kind in ("image", "document") and isinstance(block.get("source"), dict):
            self.source(block["source"], f"{path}.source", kind)
        if kind == "tool_result" and isinstance(block.get("content"), list):
            for at, inner in enumerate(block["content"]):
                self.block(inner, f"{path}.content.{at}", {"text", "image", "document"})

    def source(self, source, path, kind):
        if source.get("type") not in SOURCES:
            return self.bad(f"{path}.type", "unknown")
        wanted = SOURCES[source["type"]]
        if set(source) - {"type"} != wanted:
            return self.bad(path, f"must have exactly {sorted(wanted)}")
        if source["type"] != "base64":
            return
        if source["media_type"] not in (IMAGE_TYPES if kind == "image" else {"application/pdf"}):
            self.bad(f"{path}.media_type", "unknown")
        try:
            raw = base64.b64decode(source["data"], validate=True)
        except (binascii.Error, ValueError):
            return self.bad(f"{path}.data", "no base64")
        if source["media_type"] == "image/png" and raw[:4] != b"\x89PNG":
            self.bad(f"{path}.data", "is not of the declared media type")

    def pairing(self, messages):
        """The results of a round of calls stand first in the very next user turn, each exactly once."""
        waiting = []
        for index, message in enumerate(messages):
            blocks = message["content"] if isinstance(message["content"], list) else []
            results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
            if sorted(results) != sorted(waiting):
                self.bad(f"messages.{index}", f"tool_result ids {results} where {waiting} were called")
            kinds = [block["type"] == "tool_result" for block in blocks]
            if kinds != sorted(kinds, reverse=True):
                self.bad(f"messages.{index}", "tool_result blocks must come first")
            waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if waiting:
            self.bad("messages", f"tool_use ids {waiting} without tool_result blocks")

    def thinking_history(self, body):
        """With thinking on, the turn that called tools starts with its thinking."""
        if (body.get("thinking") or {}).get("type") in (None, "disabled"):
            return
        last = [message for message in body["messages"] if message["role"] == "assistant"][-1:]
        for message in last:
            kinds = (
                [block["type"] for block in message["content"]]
                if isinstance(message["content"], list)
                else []
            )
            if "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking"):
                self.bad("messages", "expected thinking before tool_use when thinking is enabled")

    def markers(self, body):
        """At most four cache markers, each of the one known type."""
        found = []

        def walk(value):
            if isinstance(value, dict):
                if isinstance(value.get("cache_control"), dict):
                    found.append(value["cache_control"])
                for name, item in value.items():
                    if name not in ("input", "input_schema", "schema"):
                        walk(item)
            elif isinstance(value, list):
                for item in value:
                    walk(item)

        walk(body)
        if len(found) > 4:
            self.bad("cache_control", "a maximum of 4 blocks")
        for marker in found:
            if marker.get("type") != "ephemeral" or set(marker) - {"type", "ttl"}:
                self.bad("cache_control", "unknown marker")


def check(version, body, counting=False):
    """The problems of a Messages body (or of one to be counted); an empty list is a good one."""
    if version not in VERSIONS:
        return [f"anthropic-version: {version!r} is not a valid version"]
    if not isinstance(body, dict):
        return ["body: not an object"]
    # The SDK's types are of the newest version; fields of the other one are known here.
    older = BY_VERSION[version].keys() - BY_VERSION[max(VERSIONS)].keys()
    plain = {key: value for key, value in body.items() if key not in older and not key.startswith(EXTENSION)}
    path = "/v1/messages/count_tokens" if counting else "/v1/messages"
    if found := published.request_problems(path, plain):
        return found
    state = Check(version)
    state.body(body, counting)
    return state.problems
