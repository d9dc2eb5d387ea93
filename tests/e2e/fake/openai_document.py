"""OpenAI's own OpenAPI document, as a validator of bodies. It is not part of this project; it may be absent."""

import json
import os
import pathlib
import sys

DOCUMENT = "vectors/openai-openapi/openapi.ajv-clean.json"
SCHEMAS = "#/components/schemas/"
BRANCHES = ("allOf", "anyOf", "oneOf")
MAPS = ("properties", "patternProperties", "$defs")
VALUES = ("const", "default", "enum", "example", "examples", "required")  # no schemas are within


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


def closed(schema, is_part=False):
    """The schema with no member allowed that it does not name.

    A part of an allOf, and an alternative beside properties, sees members that others name: there the schema
    around them is closed. So each named schema is kept twice, and a part refers to the open one.
    """
    if isinstance(schema, list):
        return [closed(item, is_part) for item in schema]
    if not isinstance(schema, dict):
        return schema
    around = bool(schema.get("properties") or schema.get("allOf"))
    made = {}
    for key, item in schema.items():
        if key == "$ref":
            made[key] = item + (".open" if is_part else "")
        elif key in BRANCHES:
            made[key] = closed(item, is_part or around)
        elif key in MAPS:
            made[key] = {name: closed(inner) for name, inner in item.items()}
        else:
            made[key] = item if key in VALUES else closed(item)
    if around and not is_part and "additionalProperties" not in schema:
        made["unevaluatedProperties"] = False
    return made


class Document:
    """Compiled once for each schema that is asked for. `available` is false without the document."""

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
        whole = {name: closed(schema) for name, schema in self.schemas.items()}
        self.closed = whole | {f"{name}.open": closed(schema, True) for name, schema in self.schemas.items()}

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
            schemas = any_of(self.closed) if overlapping else self.closed
            whole = {"$ref": f"{SCHEMAS}{name}", "components": {"schemas": schemas}}
            self.compiled[name, overlapping] = self.engine.Draft202012Validator(whole)
        return [
            f"{'/'.join(map(str, error.instance_path)) or 'body'}: {error.message[:300]}"
            for error in self.compiled[name, overlapping].iter_errors(value)
        ]
