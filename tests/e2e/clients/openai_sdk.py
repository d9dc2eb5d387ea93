"""The official OpenAI SDK: chat completions as plain applications keep them; Responses without a store."""

import json

import openai
import stack as stacks

from . import base

STREAM_USAGE = {"include_usage": True}


class OpenAI(base.Chat):
    ERRORS = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError", 500: "InternalServerError"}
    STREAM_ERRORS = ("APIError",)

    def connect(self, stack, retries):
        return openai.OpenAI(
            base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, timeout=30, max_retries=retries
        )

    def close(self):
        self.client.close()

    @staticmethod
    def embed(stack, model, texts):
        with openai.OpenAI(base_url=stack.openai_url, api_key=stacks.CLIENT_KEY, timeout=30) as client:
            return [one.embedding for one in client.embeddings.create(model=model, input=texts).data]


class Completions(OpenAI):
    """Sends back whole answers as they came, and of streams what every client does: content and calls."""

    DIALECT = "oai"
    STOPS = {"stop": "end", "length": "length", "tool_calls": "tool", "content_filter": "refusal"}

    def add_user(self, text, image):
        content = text
        if image:
            url = f"data:image/png;base64,{image}"
            content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
        self.history.append({"role": "user", "content": content})

    def add_results(self, calls, results):
        for (name, *_), result in zip(calls, results, strict=True):
            self.history.append({"role": "tool", "tool_call_id": name, "content": result})

    def request(self):
        system = [{"role": "system", "content": self.ask.system}] if self.ask.system else []
        found = {"model": self.model, "messages": system + self.history}
        found["max_completion_tokens"] = self.ask.limit
        if self.ask.tools:
            function = {"name": base.TOOL, "description": base.ABOUT_TOOL, "parameters": base.CITY}
            found["tools"] = [{"type": "function", "function": function}]
        if self.ask.thinking:
            found["reasoning_effort"] = "low"
        if self.ask.schema:
            schema = {"name": "person", "strict": True, "schema": self.ask.schema}
            found["response_format"] = {"type": "json_schema", "json_schema": schema}
        return found

    def whole(self):
        answer = self.client.chat.completions.create(**self.request())
        choice = answer.choices[0]
        calls = [
            (call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or []
        ]
        reasoning = getattr(choice.message, "reasoning_content", None)
        return (
            choice.message.content or choice.message.refusal,
            reasoning,
            calls,
            choice.finish_reason,
            answer,
        )

    def folded(self):
        text, reasoning, calls, finish, last = "", "", {}, None, None
        stream = self.client.chat.completions.create(
            **self.request(), stream=True, stream_options=STREAM_USAGE
        )
        for last in stream:
            for choice in last.choices:
                text += choice.delta.content or choice.delta.refusal or ""
                reasoning += getattr(choice.delta, "reasoning_content", None) or ""
                finish = choice.finish_reason or finish
                for call in choice.delta.tool_calls or []:
                    known = calls.setdefault(call.index, ["", "", ""])
                    known[0] = call.id or known[0]
                    known[1] += call.function.name or ""
                    known[2] += call.function.arguments or ""
        return text, reasoning, [tuple(calls[at]) for at in sorted(calls)], finish, last

    def turn(self):
        text, reasoning, calls, finish, answer = self.folded() if self.stream else self.whole()
        message = {"role": "assistant", "content": text or None}
        if not self.stream:
            message = answer.choices[0].message  # as the SDK's readme does, with all that it does not know
        elif calls:
            message["tool_calls"] = [
                {"id": call[0], "type": "function", "function": {"name": call[1], "arguments": call[2]}}
                for call in calls
            ]
        self.history.append(message)
        read = [(call[0], call[1], json.loads(call[2] or "{}")) for call in calls]
        usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        return base.Got(text or "", reasoning or "", read, self.stop_of(finish), usage)

    def first_texts(self):
        """The texts of a stream, for those who leave in the middle of it."""
        with self.client.chat.completions.create(**self.request(), stream=True) as stream:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content


class StreamFailed(Exception):
    """An event that tells of a failure; the SDK hands it over like any other."""


class Responses(OpenAI):
    """Sends back the items that it got, with the encrypted reasoning."""

    DIALECT = "rsp"
    STREAM_ERRORS = ("StreamFailed", "APIError")
    STOPS = {"completed": "end", "max_output_tokens": "length", "content_filter": "refusal"}

    def add_user(self, text, image):
        content = text
        if image:
            picture = {"type": "input_image", "image_url": f"data:image/png;base64,{image}", "detail": "auto"}
            content = [{"type": "input_text", "text": text}, picture]
        self.history.append({"role": "user", "content": content})

    def add_results(self, calls, results):
        for (name, *_), result in zip(calls, results, strict=True):
            self.history.append({"type": "function_call_output", "call_id": name, "output": result})

    def request(self):
        found = {"model": self.model, "input": self.history, "max_output_tokens": self.ask.limit}
        found |= {"store": False, "include": ["reasoning.encrypted_content"]}
        if self.ask.system:
            found["instructions"] = self.ask.system
        if self.ask.tools:
            tool = {"type": "function", "name": base.TOOL, "description": base.ABOUT_TOOL}
            found["tools"] = [{**tool, "parameters": base.CITY, "strict": True}]
        if self.ask.thinking:
            found["reasoning"] = {"effort": "low", "summary": "auto"}
        if self.ask.schema:
            form = {"type": "json_schema", "name": "person", "strict": True, "schema": self.ask.schema}
            found["text"] = {"format": form}
        return found

    def folded(self):
        """The response of the last event; the SDK's own helper knows no incomplete one."""
        answer, text, seen = None, "", []
        with self.client.responses.create(**self.request(), stream=True) as stream:
            for event in stream:
                seen.append(event.sequence_number)
                if event.type in ("error", "response.failed"):
                    raise StreamFailed(event)
                answer = getattr(event, "response", answer)
                if event.type == "response.output_text.delta":
                    text += event.delta
        assert seen == sorted(set(seen)) and text == answer.output_text
        return answer

    def turn(self):
        answer = self.folded() if self.stream else self.client.responses.create(**self.request())
        got = base.Got()
        for item in answer.output:
            self.history.append(item.model_dump(exclude_none=True))
            if item.type == "reasoning":
                got.thinking += "".join(part.text for part in item.summary)
            elif item.type == "function_call":
                got.calls.append((item.call_id, item.name, json.loads(item.arguments)))
            elif item.type == "message":
                got.text += "".join(getattr(part, "text", None) or part.refusal for part in item.content)
        details = answer.incomplete_details
        got.stop = self.stop_of(details.reason if details else answer.status)
        got.stop = "tool" if got.calls and got.stop == "end" else got.stop
        got.tokens = (answer.usage.input_tokens, answer.usage.output_tokens)
        return got

    def first_texts(self):
        with self.client.responses.create(**self.request(), stream=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    yield event.delta
