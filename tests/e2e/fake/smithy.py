"""Bedrock's own model of its requests and answers: AWS's Smithy document, with what AWS added since.

The document beside the project is of 2025; botocore, which the tests install anyway, brings the members that
came later. A constraint of the document holds wherever it has one. Without both nothing is checked.
"""

import base64
import binascii
import functools
import gzip
import json
import re
import sys
from dataclasses import dataclass, field

from .openai_document import shared_dir

DOCUMENT = "vectors/bedrock-smithy/bedrock-runtime-2023-09-30.json"
TYPES = {
    "string": str,
    "enum": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "list": list,
    "map": dict,
    "structure": dict,
    "union": dict,
    "blob": str,
}


@dataclass
class Shape:
    """A type: members are by their JSON names; `limits` are of a length or of a number."""

    kind: str
    members: dict = field(default_factory=dict)  # name -> (shape name, limits)
    required: set = field(default_factory=set)
    enum: set = field(default_factory=set)
    pattern: str | None = None
    limits: tuple = (None, None)
    item: str | None = None


def smithy_limits(traits):
    limits = traits.get("smithy.api#length") or traits.get("smithy.api#range") or {}
    return limits.get("min"), limits.get("max")


def read_smithy(document):
    """The shapes of a Smithy JSON document; members that travel in the path or a header are left out."""
    found = {}
    for full, shape in document["shapes"].items():
        traits = shape.get("traits", {})
        made = Shape(shape["type"], pattern=traits.get("smithy.api#pattern"), limits=smithy_limits(traits))
        for name, member in shape.get("members", {}).items():
            marks = member.get("traits", {})
            if "smithy.api#httpLabel" in marks or "smithy.api#httpHeader" in marks:
                continue
            if shape["type"] == "enum":
                made.enum.add(marks["smithy.api#enumValue"])
                continue
            made.members[name] = member["target"].split("#")[1], smithy_limits(marks)
            if "smithy.api#required" in marks:
                made.required.add(name)
        made.item = (shape.get("member") or shape.get("value") or {}).get("target", "#").split("#")[1]
        found[full.split("#")[1]] = made
    return found


def read_botocore(document):
    """The same of botocore's description of the service."""
    found = {}
    for name, shape in document["shapes"].items():
        kind = "union" if shape.get("union") else "document" if shape.get("document") else shape["type"]
        made = Shape(kind, enum=set(shape.get("enum", [])), pattern=shape.get("pattern"))
        made.limits = shape.get("min"), shape.get("max")
        made.members = {
            member: (target["shape"], (None, None))
            for member, target in shape.get("members", {}).items()
            if "location" not in target
        }
        made.required = set(shape.get("required", [])) & set(made.members)
        made.item = (shape.get("member") or shape.get("value") or {}).get("shape")
        found[name] = made
    return found


def merged(old, new):
    """The shapes of `old` with members, values and shapes that only `new` has."""
    for name, shape in new.items():
        known = old.setdefault(name, shape)
        known.members = {**shape.members, **known.members}
        if known.kind == "enum" or known.enum:
            known.enum |= shape.enum
    return old


def documents():
    """Both sources as they are, None for one that is not there: (Smithy's, botocore's)."""
    found = [None, None]
    try:
        found[0] = json.loads((shared_dir() / DOCUMENT).read_text())
    except OSError as error:
        print(f"fake provider: no Smithy model of Bedrock: {error}", file=sys.stderr)
    try:
        import botocore

        base = f"{botocore.__path__[0]}/data/bedrock-runtime/2023-09-30/service-2.json"
        with gzip.open(f"{base}.gz") as file:
            found[1] = json.load(file)
    except (ImportError, OSError) as error:
        print(f"fake provider: no newer model of Bedrock: {error}", file=sys.stderr)
    return found


@functools.cache
def shapes():
    """All shapes by name; empty when neither source is there."""
    smithy, botocore = documents()
    found = read_smithy(smithy) if smithy else {}
    return merged(found, read_botocore(botocore)) if botocore else found


@functools.cache
def errors():
    """The names of the exceptions of each operation: {operation: set of names}."""
    smithy, botocore = documents()
    found = {}
    for full, shape in (smithy or {"shapes": {}})["shapes"].items():
        if shape["type"] == "operation":
            names = {one["target"].split("#")[1] for one in shape.get("errors", [])}
            found.setdefault(full.split("#")[1], set()).update(names)
    for name, operation in (botocore or {"operations": {}})["operations"].items():
        names = {one["shape"] for one in operation.get("errors", [])}
        found.setdefault(name, set()).update(names)
    return found


class Check:
    """Collects what a value has against a shape."""

    def __init__(self):
        self.problems = []

    def bad(self, path, reason):
        self.problems.append(f"{path or 'body'}: {reason}")

    def value(self, name, value, path, limits=(None, None)):
        shape = shapes().get(name)
        kind = shape.kind if shape else name.lower()
        if kind in ("document", "timestamp") or name == "Document":
            return
        wanted = TYPES.get(kind)
        if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean")):
            return self.bad(path, f"{type(value).__name__} where {kind} {name} is wanted")
        self.measure(kind, value, path, limits)
        if shape is None:
            return
        if shape.limits != (None, None):
            self.measure(kind, value, path, shape.limits)
        if shape.enum and value not in shape.enum:
            self.bad(path, f"{value!r} is not one of {sorted(shape.enum)}")
        if shape.pattern and isinstance(value, str) and not matches(shape.pattern, value):
            self.bad(path, f"{value!r} does not match {shape.pattern}")
        if kind in ("structure", "union"):
            self.members(shape, value, path)
        for key, item in enumerate(value) if kind == "list" else value.items() if kind == "map" else ():
            self.value(shape.item, item, f"{path}/{key}")

    def measure(self, kind, value, path, limits):
        if kind == "blob":
            try:
                size = len(base64.b64decode(value, validate=True))
            except (binascii.Error, ValueError):
                return self.bad(path, "is not base64")
        else:
            size = value if isinstance(value, (int, float)) else len(value)
        if limits[0] is not None and size < limits[0]:
            self.bad(path, f"{size} is under the minimum {limits[0]}")
        if limits[1] is not None and size > limits[1]:
            self.bad(path, f"{size} is over the maximum {limits[1]}")

    def members(self, shape, value, path):
        for name in shape.required - set(value):
            self.bad(f"{path}/{name}".lstrip("/"), "required")
        if shape.kind == "union" and len(value) != 1:
            self.bad(path, f"a union has exactly one member, not {sorted(value)}")
        for name, item in value.items():
            at = f"{path}/{name}".lstrip("/")
            if name not in shape.members:
                self.bad(at, "unknown member")
            elif item is None:
                self.bad(at, "null")
            else:
                target, limits = shape.members[name]
                self.value(target, item, at, limits)


@functools.cache
def compiled(pattern):
    return re.compile(pattern)


def matches(pattern, value):
    """Smithy anchors a pattern only where it says so; botocore's are of whole values."""
    return (compiled(pattern).search if pattern.startswith("^") else compiled(pattern).fullmatch)(value)


def problems(name, value):
    """What the shape `name` has against a JSON value; empty without a model."""
    if not shapes():
        return []
    state = Check()
    state.value(name, value, "")
    return state.problems
