"""The types that the vendors' SDKs publish, held against JSON strictly: no value is coerced, no member unknown.

The SDKs themselves take nearly anything. A type is named as `module:Name`; without its SDK nothing is checked.
"""

import collections.abc
import functools
import importlib
import json
import os
import types
import typing
import warnings

import typing_extensions

CHAT = "openai.types.chat"
RESPONSES = "openai.types.responses"
ANTHROPIC = "anthropic.types"
GOOGLE = "google.genai.types"

# The types of requests: (whole, streamed).
REQUESTS = {
    "/v1/chat/completions": tuple(
        f"{CHAT}.completion_create_params:CompletionCreateParams{way}" for way in ("NonStreaming", "Streaming")
    ),
    "/v1/completions": tuple(
        f"openai.types.completion_create_params:CompletionCreateParams{way}"
        for way in ("NonStreaming", "Streaming")
    ),
    "/v1/responses": tuple(
        f"{RESPONSES}.response_create_params:ResponseCreateParams{way}" for way in ("NonStreaming", "Streaming")
    ),
    "/v1/responses/input_tokens": (f"{RESPONSES}.input_token_count_params:InputTokenCountParams",),
    "/v1/embeddings": ("openai.types.embedding_create_params:EmbeddingCreateParams",),
    "/v1/moderations": ("openai.types.moderation_create_params:ModerationCreateParams",),
    "/v1/images/generations": tuple(
        f"openai.types.image_generate_params:ImageGenerateParams{way}" for way in ("NonStreaming", "Streaming")
    ),
    "/v1/audio/speech": ("openai.types.audio.speech_create_params:SpeechCreateParams",),
    "/v1/messages": tuple(
        f"{ANTHROPIC}.message_create_params:MessageCreateParams{way}" for way in ("NonStreaming", "Streaming")
    ),
    "/v1/messages/count_tokens": (f"{ANTHROPIC}.message_count_tokens_params:MessageCountTokensParams",),
}
SHOWN_MAX = 4  # a value that fits no alternative of a union has a hundred complaints, most of them noise


def listed(kind, made):
    """A type with a list for each Iterable: pydantic validates an Iterable late, and takes a text for one.

    `made` has the TypedDicts that were copied so far, since they may refer to each other.
    """
    if typing_extensions.is_typeddict(kind):
        if kind not in made:
            made[kind] = typing_extensions.TypedDict(kind.__name__, {})
            hints = typing_extensions.get_type_hints(kind, include_extras=True)
            made[kind].__annotations__ = {name: listed(hint, made) for name, hint in hints.items()}
            made[kind].__required_keys__ = kind.__required_keys__
            made[kind].__optional_keys__ = kind.__optional_keys__
        return made[kind]
    origin, inner = typing_extensions.get_origin(kind), typing_extensions.get_args(kind)
    if not inner or origin is typing.Literal or origin is typing_extensions.Literal:
        return kind
    if origin in (typing.IO, os.PathLike):
        return str  # what a file becomes in JSON
    if origin in (typing_extensions.Required, typing_extensions.NotRequired):
        return listed(inner[0], made)  # the class has its required keys
    if origin is typing.Annotated:
        return typing.Annotated[listed(inner[0], made), *kind.__metadata__]
    parts = tuple(listed(one, made) for one in inner)
    if origin is collections.abc.Iterable:
        return list[parts]
    return typing.Union[parts] if origin in (typing.Union, types.UnionType) else origin[parts]


@functools.cache
def adapter(name):
    """The validator of a type, None without its SDK."""
    import pydantic

    module, _, member = name.partition(":")
    try:
        kind = getattr(importlib.import_module(module), member)
    except ImportError:
        return None
    return pydantic.TypeAdapter(listed(kind, {}))


def is_alternative(path):
    """Whether a path leads to a member of an alternative, which stands in it by the name of its class."""
    return len(path) > 1 and str(path[-2])[0].isupper()


def said(error):
    """What pydantic found: of the alternatives of a union only those whose constant, such as a type, is right."""
    found = error.errors(include_url=False, include_input=False)
    wrong = {one["loc"][:-1] for one in found if one["type"] == "literal_error" and is_alternative(one["loc"])}
    near = [one for one in found if not any(one["loc"][:size] in wrong for size in range(1, len(one["loc"])))]
    for one in (near or found)[:SHOWN_MAX]:
        steps = [step for step in map(str, one["loc"]) if "[" not in step]  # not the names of whole unions
        yield f"{'/'.join(steps) or 'body'}: {one['msg']}"


def problems(name, value):
    """What the type `name` has against a JSON value; an empty list is a good one."""
    import pydantic

    kind = adapter(name)
    if kind is None:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Google's enums only warn of a value that they do not know
        try:
            kind.validate_json(json.dumps(value), strict=True, extra="forbid")
        except pydantic.ValidationError as error:
            return list(said(error))
        except (UserWarning, AttributeError) as error:  # the latter of an enum that is given no text
            return [f"body: {error}"]
    return []


def request_problems(path, body):
    """The same of a request body, by its path; a path that has no type has no problems."""
    kinds = REQUESTS.get(path)
    return problems(kinds[-1 if body.get("stream") else 0], body) if kinds else []
