"""What the fake provider answers: a pure function of the model's name and the conversation, in no dialect.

| model | answer |
|---|---|
| fake-text | `Echo: ` and the last user text, with the system prompt in brackets before it |
| fake-long | as many words as the last user text asks for (`words=N`, else 400) |
| fake-slow | 200 words, 50 ms apart |
| fake-unicode | characters of 1 to 4 bytes, combining marks, an emoji family |
| fake-length | text that stops at the limit, after 5 tokens |
| fake-refusal | a refusal |
| fake-thinking | thinking with a signature, then text, or a tool call if there are tools |
| fake-agent | thinks and calls in four steps, two calls in the second; then the text of all results |
| fake-usage-cached | text; 40 plain, 60 cached and 20 newly cached input tokens |
| fake-vision | for each image its media type and size in pixels and bytes, or its URL |
| fake-json | the smallest value of the schema that is asked for; with a forced tool, a call of it |
| fake-tools, fake-text-tools | one call of the first or the chosen tool; the second with text before it |
| fake-parallel-tools, fake-interleaved-tools | three calls; the second streams their arguments in turns |
| fake-empty-args | a call without arguments |
| fake-cited | as fake-text; at Anthropic's with a citation of a document and one of a page |
| fake-opaque | of moderations, audio and images: what opaque_dialect.py makes of the body |

After tool results every tool model answers with the text of the results.
"""

import base64
import json
import re
import struct
from dataclasses import dataclass, field

MODELS = [
    "fake-text",
    "fake-long",
    "fake-slow",
    "fake-unicode",
    "fake-length",
    "fake-refusal",
    "fake-thinking",
    "fake-agent",
    "fake-usage-cached",
    "fake-vision",
    "fake-json",
    "fake-tools",
    "fake-text-tools",
    "fake-parallel-tools",
    "fake-interleaved-tools",
    "fake-empty-args",
    "fake-cited",
    "fake-embed",
    "fake-opaque",
]
TOOL_MODELS = {
    "fake-tools",
    "fake-text-tools",
    "fake-parallel-tools",
    "fake-interleaved-tools",
    "fake-empty-args",
    "fake-thinking",
    "fake-agent",
    "fake-json",
}
THINKERS = {"fake-thinking", "fake-agent"}
AGENT_STEPS = 4
CITIES = ["Zürich", "東京", "São Paulo 🌊"]
UNICODE = 'naïve “quotes” – 東京 🌊 👩‍👩‍👧‍👦 Å \\ "x" \t end 𝒜𝒷𝒸 \u2028 done'
THINKING = "Let me think: 1 + 1 is 2 🤔."
REFUSAL = "I can not help with that."


@dataclass
class Turn:
    """One message: its texts, images as (media type or "url", data or URL), tool calls and results."""

    role: str
    texts: list = field(default_factory=list)
    images: list = field(default_factory=list)
    results: list = field(default_factory=list)  # (text, is_error)


@dataclass
class Conversation:
    """What a request says, whatever its dialect. `tool_choice` is auto, none, any or the name of a tool."""

    system: list
    turns: list
    tools: dict = field(default_factory=dict)  # name -> JSON schema
    tool_choice: str = "auto"
    parallel: bool = True
    stop: list = field(default_factory=list)
    tokens_max: int | None = None
    schema: dict | None = None
    thinking: bool = False
    logprobs: int | None = None  # how many alternatives of each token are wanted


@dataclass
class Usage:
    """Disjoint buckets of tokens, except that `reasoning` is part of `output`."""

    uncached: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def input(self):
        return self.uncached + self.cache_read + self.cache_write


@dataclass
class Answer:
    """Blocks are ("text" or "refusal", text), ("thinking", text), ("call", name, arguments)."""

    blocks: list
    stop: str  # end, length, stop_sequence, tool, refusal
    usage: Usage
    stop_sequence: str | None = None
    pause_ms: int = 0
    interleaved: bool = False
    tag: str = "0"  # ends the ids of the answer and its calls; clients take equal ids for the same message
    logprobs: int | None = None


def pieces(text):
    """The tokens of the fake: what one event of a stream carries. Joined they are `text`."""
    return re.findall(r"\s*\S{1,12}|\s+", text)


def likelihoods(text, count):
    """The tokens of a text, each with its logarithm and `count` alternatives: [(token, number, [(token, number)])]."""
    others = [(f" other{number}", -2.5 - number) for number in range(count - 1)]
    return [(token, -0.25, [(token, -0.25), *others][:count]) for token in pieces(text)]


def image_facts(media_type, data):
    """`image/png 8x6 85 bytes` by the bytes themselves, not by what was declared."""
    if media_type == "url":
        return f"url {data}"
    raw = base64.b64decode(data, validate=True)
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = struct.unpack(">II", raw[16:24])
        return f"image/png {width}x{height} {len(raw)} bytes"
    return f"{media_type} {len(raw)} bytes"


def smallest_value(schema, name="value", root=None):
    """Always the same value of a schema: the first of an enum or choice, every property of an object."""
    root = root or schema
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].lstrip("#/").split("/"):
            target = target[step]
        return smallest_value(target, name, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return smallest_value(schema[choice][0], name, root)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {key: smallest_value(sub, key, root) for key, sub in schema.get("properties", {}).items()}
    if kind == "array":
        return [smallest_value(schema.get("items", {"type": "string"}), name, root)]
    return {"string": f"a {name}", "integer": 7, "number": 1.5, "boolean": True, "null": None}[kind]


def input_tokens(conversation):
    texts = list(conversation.system)
    for turn in conversation.turns:
        texts += turn.texts + [text for text, _ in turn.results]
    images = sum(len(turn.images) for turn in conversation.turns)
    tools = sum(len(pieces(json.dumps(schema))) for schema in conversation.tools.values())
    return sum(len(pieces(text)) for text in texts) + 85 * images + tools


def last_user_text(conversation):
    users = [turn for turn in conversation.turns if turn.role == "user" and turn.texts]
    return "\n".join(users[-1].texts) if users else ""


def plain_text(model, conversation):
    """The text of a model that only talks."""
    said = last_user_text(conversation)
    if model == "fake-long":
        wanted = re.search(r"words=(\d+)", said)
        return " ".join(f"word{i}" for i in range(int(wanted[1]) if wanted else 400))
    if model == "fake-slow":
        return " ".join(f"slow{i}" for i in range(200))
    if model == "fake-unicode":
        return UNICODE
    if model == "fake-vision":
        images = [image for turn in conversation.turns for image in turn.images]
        return "; ".join(image_facts(*image) for image in images) or "no image"
    if model == "fake-json":
        return json.dumps(
            smallest_value(conversation.schema) if conversation.schema else {"answer": said},
            ensure_ascii=False,
        )
    prefix = f"[{' | '.join(conversation.system)}] " if conversation.system else ""
    return f"{prefix}Echo: {said}"


def named(model):
    """The model of MODELS that a provider's own name ends with: fake-text for `us.claude-4-fake-text`."""
    if "titan-embed" in model or "cohere.embed" in model:
        return "fake-embed"
    return model[max(model.rfind("fake-"), 0) :]


def current_results(conversation):
    """The results, round by round, since the user last said something."""
    rounds = []
    for turn in conversation.turns:
        if turn.role == "user" and turn.texts:
            rounds = []
        if turn.results:
            rounds.append(turn.results)
    return rounds


def agent_calls(conversation):
    """The calls of the next step of fake-agent; none after the last."""
    step = len(current_results(conversation)) + 1
    if not conversation.tools or conversation.tool_choice == "none" or step > AGENT_STEPS:
        return []
    name = next(iter(conversation.tools))
    cities = [CITIES[0], CITIES[1]] if step == 2 else [f"{CITIES[2]} {step}"]
    value = smallest_value(conversation.tools[name])
    texts = [key for key, item in value.items() if isinstance(item, str)]
    return [
        ("call", name, json.dumps({**value, **{key: city for key in texts}}, ensure_ascii=False))
        for city in cities
    ]


def tool_calls(model, conversation):
    """The calls of a tool model, or none when it may not or need not call."""
    results = conversation.turns[-1].results if conversation.turns else []
    if model == "fake-agent":
        return agent_calls(conversation)
    if not conversation.tools or conversation.tool_choice == "none" or results:
        return []
    if model == "fake-json" and conversation.tool_choice == "auto":
        return []
    name = conversation.tool_choice
    if name not in conversation.tools:
        name = next(iter(conversation.tools))
    value = smallest_value(conversation.tools[name])
    if model == "fake-empty-args":
        return [("call", name, "")]
    if model not in ("fake-parallel-tools", "fake-interleaved-tools"):
        return [("call", name, json.dumps(value, ensure_ascii=False))]
    texts = [key for key, item in value.items() if isinstance(item, str)]
    calls = [
        ("call", name, json.dumps({**value, **{key: city for key in texts}}, ensure_ascii=False))
        for city in CITIES
    ]
    return calls if conversation.parallel else calls[:1]


def cut_text(text, conversation, tokens_max):
    """`text` as far as the stop sequences and the limit let it come: (text, stop, stop sequence)."""
    hits = [(text.find(mark), mark) for mark in conversation.stop if mark in text]
    stop, sequence = "end", None
    if hits:
        at, sequence = min(hits)
        text, stop = text[:at], "stop_sequence"
    tokens = pieces(text)
    if tokens_max is not None and len(tokens) > tokens_max:
        return "".join(tokens[:tokens_max]), "length", None
    return text, stop, sequence


def answer(model, conversation):
    """The answer of `model`, which is one of MODELS."""
    usage = Usage(uncached=input_tokens(conversation), output=0)
    if model == "fake-usage-cached":
        usage = Usage(uncached=40, cache_read=60, cache_write=20, output=0)
    blocks, stop, sequence = [], "end", None
    if model == "fake-refusal":
        blocks, stop = [("refusal", REFUSAL)], "refusal"
    elif model in TOOL_MODELS and (calls := tool_calls(model, conversation)):
        text = [("text", "Let me look that up.")] if model == "fake-text-tools" else []
        blocks, stop = text + calls, "tool"
    else:
        results = conversation.turns[-1].results if conversation.turns else []
        if model == "fake-agent":
            results = [result for one in current_results(conversation) for result in one]
        said = "; ".join(("ERROR " if bad else "") + text for text, bad in results)
        text = f"Results: {said}" if results else plain_text(model, conversation)
        limit = 5 if model == "fake-length" else conversation.tokens_max
        text, stop, sequence = cut_text(text, conversation, limit)
        blocks = [("text", text)] if text else []
    if model in THINKERS and conversation.thinking:
        blocks = [("thinking", THINKING), *blocks]
        usage.reasoning = len(pieces(THINKING))
    usage.output = sum(len(pieces(block[2] if block[0] == "call" else block[1])) for block in blocks)
    return Answer(
        blocks,
        stop,
        usage,
        sequence,
        pause_ms=50 if model == "fake-slow" else 0,
        interleaved=model == "fake-interleaved-tools",
        logprobs=conversation.logprobs,
    )
