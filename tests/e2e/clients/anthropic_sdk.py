"""The official Anthropic SDK: what it got goes back as it is, with signatures."""

import anthropic
import stack as stacks

from . import base

PNG = "image/png"
STOPS = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "length",
    "tool_use": "tool",
    "refusal": "refusal",
}


def body(ask, history):
    """A Messages body without its model, which InvokeModel takes too."""
    found = {"max_tokens": ask.limit, "messages": history}
    if ask.system:
        found["system"] = ask.system
    if ask.tools:
        found["tools"] = [{"name": base.TOOL, "description": base.ABOUT_TOOL, "input_schema": base.CITY}]
    if ask.thinking:
        found["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    if ask.schema:
        found["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    return found


def user_turn(text, image):
    blocks = [{"type": "text", "text": text}]
    if image:
        source = {"type": "base64", "media_type": PNG, "data": image}
        blocks.append({"type": "image", "source": source})
    return {"role": "user", "content": blocks}


def result_turn(calls, results):
    return {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": call[0], "content": result}
            for call, result in zip(calls, results, strict=True)
        ],
    }


def read(message):
    """A message as a dict, as Got."""
    got = base.Got(stop=STOPS.get(message["stop_reason"], f"other: {message['stop_reason']}"))
    for block in message["content"]:
        if block["type"] == "text":
            got.text += block["text"]
        elif block["type"] == "thinking":
            got.thinking += block["thinking"]
        elif block["type"] == "tool_use":
            got.calls.append((block["id"], block["name"], block["input"]))
    usage = message["usage"]
    cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
    got.tokens = (usage["input_tokens"] + cached, usage["output_tokens"])
    return got


class Messages(base.Chat):
    DIALECT = "ant"
    ERRORS = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError", 500: "InternalServerError"}
    STREAM_ERRORS = ("APIStatusError",)

    def connect(self, stack, retries):
        return anthropic.Anthropic(
            base_url=stack.anthropic_url, api_key=stacks.ANTHROPIC_CLIENT_KEY, timeout=30, max_retries=retries
        )

    def close(self):
        self.client.close()

    def add_user(self, text, image):
        self.history.append(user_turn(text, image))

    def add_results(self, calls, results):
        self.history.append(result_turn(calls, results))

    def request(self):
        return {"model": self.model, **body(self.ask, self.history)}

    def turn(self):
        if self.stream:
            with self.client.messages.stream(**self.request()) as stream:
                message = stream.get_final_message()
        else:
            message = self.client.messages.create(**self.request())
        # `parsed_output` and the like are the SDK's own, no fields of the API.
        blocks = [block.to_dict() for block in message.content]
        for block in blocks:
            block.pop("parsed_output", None)
        self.history.append({"role": "assistant", "content": blocks})
        return read(message.to_dict())

    def first_texts(self):
        with self.client.messages.stream(**self.request()) as stream:
            yield from stream.text_stream

    def count(self, text):
        """How many tokens a prompt has, by the API made for it."""
        messages = [{"role": "user", "content": text}]
        return self.client.messages.count_tokens(model=self.model, messages=messages).input_tokens
