"""Google's Gen AI SDK: the content that it got goes back as it is, with its thought signatures."""

from google import genai
from google.genai import types

from . import base

KEY = "AIza-fake-client"


def connect(stack, retries):
    retry = types.HttpRetryOptions(attempts=retries + 1, initial_delay=0.1)
    options = types.HttpOptions(base_url=stack.gemini_url, timeout=30_000, retry_options=retry)
    return genai.Client(api_key=KEY, http_options=options)


class Google(base.Chat):
    DIALECT = "gem"
    ERRORS = {400: "ClientError", 404: "ClientError", 429: "ClientError", 500: "ServerError"}
    STREAM_ERRORS = ("APIError",)
    STOPS = {"STOP": "end", "MAX_TOKENS": "length", "SAFETY": "refusal"}

    def connect(self, stack, retries):
        return connect(stack, retries)

    def close(self):
        self.client.close()

    def add_user(self, text, image):
        parts = [types.Part.from_text(text=text)]
        if image:
            data = types.Blob(mime_type="image/png", data=image)
            parts.append(types.Part(inline_data=data))
        self.history.append(types.Content(role="user", parts=parts))

    def add_results(self, calls, results):
        parts = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call[0], name=call[1], response={"output": result}
                )
            )
            for call, result in zip(calls, results, strict=True)
        ]
        self.history.append(types.Content(role="user", parts=parts))

    def request(self):
        config = types.GenerateContentConfig(
            max_output_tokens=self.ask.limit,
            system_instruction=self.ask.system,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        if self.ask.tools:
            declared = types.FunctionDeclaration(
                name=base.TOOL, description=base.ABOUT_TOOL, parameters_json_schema=base.CITY
            )
            config.tools = [types.Tool(function_declarations=[declared])]
        if self.ask.thinking:
            config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        if self.ask.schema:
            config.response_mime_type = "application/json"
            config.response_json_schema = self.ask.schema
        return {"model": self.model, "contents": self.history, "config": config}

    def turn(self):
        models = self.client.models
        if self.stream:
            chunks = list(models.generate_content_stream(**self.request()))
        else:
            chunks = [models.generate_content(**self.request())]
        parts, finish = [], None
        for chunk in chunks:
            for candidate in chunk.candidates or []:
                finish = candidate.finish_reason or finish
                parts += (candidate.content and candidate.content.parts) or []
        self.history.append(types.Content(role="model", parts=parts))
        got = base.Got(stop=self.stop_of(finish.value if finish else None))
        for part in parts:
            if part.function_call:
                call = part.function_call
                got.calls.append((call.id, call.name, call.args or {}))
            elif part.thought:
                got.thinking += part.text or ""
            else:
                got.text += part.text or ""
        got.stop = "tool" if got.calls and got.stop == "end" else got.stop
        usage = chunks[-1].usage_metadata
        output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
        got.tokens = (usage.prompt_token_count, output)
        return got

    def first_texts(self):
        for chunk in self.client.models.generate_content_stream(**self.request()):
            if chunk.text:
                yield chunk.text

    def count(self, text):
        return self.client.models.count_tokens(model=self.model, contents=text).total_tokens

    @staticmethod
    def embed(stack, model, texts):
        with connect(stack, 0) as client:
            answer = client.models.embed_content(model=model, contents=texts)
            return [one.values for one in answer.embeddings]
