"""What an OpenAI provider refuses: OpenAI's own OpenAPI document, and the rules that a schema can not say.

The document is not part of this project; without it only the rules here are checked, and a notice says so.
"""

import json
import os
import pathlib
import sys

DOCUMENT = "vectors/openai-openapi/openapi.ajv-clean.json"
SCHEMAS = {
    "/v1/chat/completions": "CreateChatCompletionRequest",
    "/v1/completions": "CreateCompletionRequest",
    "/v1/embeddings": "CreateEmbeddingRequest",
}
EXTENSION = "x_"  # unknown fields with this prefix are let through: a provider's own extension


def shared_dir():
    beside = pathlib.Path(__file__).resolve().parents[4] / "shared"
    return pathlib.Path(os.environ.get("WEIR_SHARED_DIR") or beside)


def any_of(value):
    """The same schemas with `anyOf` for each `oneOf`."""
    if isinstance(value, list):
        return [any_of(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {"anyOf" if key == "oneOf" else key: any_of(item) for key, item in value.items()}


class Document:
    """OpenAI's document, compiled once for each schema that is asked for. `available` is false without it."""

    def __init__(self):
        self.compiled = {}
        self.schemas = {}
        path = shared_dir() / DOCUMENT
        try:
            import jsonschema_rs

            self.engine = jsonschema_rs
            self.schemas = json.loads(path.read_text())["components"]["schemas"]
        except (ImportError, OSError) as error:
            print(f"fake provider: no schema validation of OpenAI bodies: {error}", file=sys.stderr)

    @property
    def available(self):
        return bool(self.schemas)

    def problems(self, name, value, overlapping=False):
        """What the schema `name` has against `value`, each with its path; empty without the document.

        `overlapping`: a value may fit several alternatives, as the items of Responses do: a plain message is
        an EasyInputMessage and an InputMessage.
        """
        if not self.available:
            return []
        if (name, overlapping) not in self.compiled:
            schemas = any_of(self.schemas) if overlapping else self.schemas
            whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
            self.compiled[name, overlapping] = self.engine.Draft202012Validator(whole)
        return [
            f"{'/'.join(map(str, error.instance_path)) or 'body'}: {error.message[:300]}"
            for error in self.compiled[name, overlapping].iter_errors(value)
        ]

    def fields(self, name):
        """The names of the properties of an object schema, through its allOf and $ref."""
        schema = self.schemas.get(name, {})
        found, queue = set(), [schema]
        while queue:
            part = queue.pop()
            found |= set(part.get("properties", {}))
            queue += part.get("allOf", [])
            if "$ref" in part:
                queue.append(self.schemas[part["$ref"].rsplit("/", 1)[1]])
        return found


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


def check(document, path, body):
    """The problems of a request body; an empty list is a good one."""
    if not isinstance(body, dict):
        return ["body: not an object"]
    name = SCHEMAS[path]
    problems = document.problems(
        name, {key: value for key, value in body.items() if not key.startswith(EXTENSION)}
    )
    known = document.fields(name)
    if known:
        problems += [
            f"{key}: unknown field" for key in body if key not in known and not key.startswith(EXTENSION)
        ]
    if path == "/v1/chat/completions" and not problems:
        problems += pairing(body["messages"])
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        problems.append("stop: more than 4 sequences")
    return problems
