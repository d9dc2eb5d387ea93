"""LangChain's chat models: each wraps a vendor's SDK and retries, streams and counts in ways of its own."""

import stack as stacks
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI

from . import aws_sdk, base, google_sdk

FUNCTION = {"name": base.TOOL, "description": base.ABOUT_TOOL, "parameters": base.CITY}


class LangChain(base.Chat):
    """The parts that all of its models share."""

    def connect(self, stack, retries):
        return None

    def add_user(self, text, image):
        content = text
        if image:
            picture = {"type": "image", "base64": image, "mime_type": "image/png"}
            content = [{"type": "text", "text": text}, picture]
        self.history.append(HumanMessage(content))

    def add_results(self, calls, results):
        for call, result in zip(calls, results, strict=True):
            self.history.append(ToolMessage(result, tool_call_id=call[0], name=call[1]))

    def prompt(self):
        return ([SystemMessage(self.ask.system)] if self.ask.system else []) + self.history

    def runnable(self):
        model = self.make()
        if self.ask.tools:
            model = model.bind_tools([{"type": "function", "function": FUNCTION}])
        return model

    def turn(self):
        if self.ask.schema:
            structured = self.make().with_structured_output(
                self.ask.schema, method="json_schema", include_raw=True
            )
            message = structured.invoke(self.prompt())["raw"]
        elif self.stream:
            message = None
            for chunk in self.runnable().stream(self.prompt()):
                message = chunk if message is None else message + chunk
        else:
            message = self.runnable().invoke(self.prompt())
        self.history.append(message)
        calls = [(call["id"], call["name"], call["args"]) for call in message.tool_calls]
        blocks = message.content_blocks
        thinking = "".join(block.get("reasoning", "") for block in blocks if block["type"] == "reasoning")
        usage = message.usage_metadata or {}
        return base.Got(
            "".join(block["text"] for block in blocks if block["type"] == "text"),
            thinking or message.additional_kwargs.get("reasoning_content", ""),
            calls,
            self.stop_in(message, calls),
            (usage.get("input_tokens"), usage.get("output_tokens")),
        )

    def stop_in(self, message, calls):
        found = message.response_metadata
        return "tool" if calls else self.stop_of(found.get(self.STOP_KEY))

    def first_texts(self):
        for chunk in self.make().stream(self.prompt()):
            if chunk.text:
                yield chunk.text


class OpenAI(LangChain):
    DIALECT = "oai"
    STOP_KEY = "finish_reason"
    ERRORS = {
        400: "BadRequestError",
        404: "NotFoundError",
        429: "RateLimitError",
        500: "InternalServerError",
    }
    STREAM_ERRORS = ("APIError",)
    STOPS = {"stop": "end", "length": "length", "content_filter": "refusal"}
    THINKS = False  # it drops what other vendors than OpenAI tell of their reasoning
    RESPONSES = False

    def make(self):
        more = {"reasoning": {"effort": "low", "summary": "auto"}} if self.RESPONSES else {}
        more = more or {"reasoning_effort": "low"}
        if self.RESPONSES:
            more["include"] = ["reasoning.encrypted_content"]
        return ChatOpenAI(
            model=self.model,
            base_url=self.stack.openai_url,
            api_key=stacks.CLIENT_KEY,
            timeout=30,
            max_retries=0,
            stream_usage=True,
            max_completion_tokens=self.ask.limit,
            use_responses_api=self.RESPONSES,
            **(more if self.ask.thinking else {}),
            **({"store": False} if self.RESPONSES else {}),
        )


class Responses(OpenAI):
    DIALECT = "rsp"
    RESPONSES = True
    THINKS = True
    STREAM_ERRORS = ("ValueError", "APIError")

    def stop_in(self, message, calls):
        details = message.response_metadata.get("incomplete_details") or {}
        if details.get("reason") == "max_output_tokens":
            return "length"
        return "tool" if calls else "end"


class Anthropic(LangChain):
    DIALECT = "ant"
    STOP_KEY = "stop_reason"
    ERRORS = {
        400: "BadRequestError",
        404: "NotFoundError",
        429: "RateLimitError",
        500: "InternalServerError",
    }
    STREAM_ERRORS = ("APIStatusError",)
    STOPS = {"end_turn": "end", "max_tokens": "length", "refusal": "refusal"}
    THINKS = True

    def make(self):
        thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}} if self.ask.thinking else {}
        return ChatAnthropic(
            model=self.model,
            base_url=self.stack.anthropic_url,
            api_key=stacks.ANTHROPIC_CLIENT_KEY,
            timeout=30,
            max_retries=0,
            max_tokens=self.ask.limit,
            **thinking,
        )


class Aws(LangChain):
    DIALECT = "cnv"
    STOP_KEY = "stopReason"
    ERRORS = {
        400: "ValidationException",
        404: "ResourceNotFoundException",
        429: "ThrottlingException",
        500: "InternalServerException",
    }
    STREAM_ERRORS = ("EventStreamError",)
    STOPS = {"end_turn": "end", "max_tokens": "length", "content_filtered": "refusal"}
    THINKS = True

    def make(self):
        thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}} if self.ask.thinking else None
        return ChatBedrockConverse(
            model=self.model,
            provider="anthropic",
            client=aws_sdk.Converse.connect(self, self.stack, 0),
            max_tokens=self.ask.limit,
            additional_model_request_fields=thinking,
            disable_streaming=False,
        )

    def stop_in(self, message, calls):
        found = message.response_metadata.get("stopReason")
        return "tool" if calls else self.stop_of(found[0] if isinstance(found, list) else found)


class Google(LangChain):
    DIALECT = "gem"
    STOP_KEY = "finish_reason"
    ERRORS = {status: "ChatGoogleGenerativeAIError" for status in (400, 404, 429, 500)}
    STREAM_ERRORS = ("GoogleAPIError",)
    STOPS = {"STOP": "end", "MAX_TOKENS": "length", "SAFETY": "refusal"}
    THINKS = True

    def make(self):
        thinking = {"include_thoughts": True, "thinking_budget": 1024} if self.ask.thinking else {}
        return ChatGoogleGenerativeAI(
            model=self.model,
            base_url=self.stack.gemini_url,
            google_api_key=google_sdk.KEY,
            timeout=30,
            max_retries=1,
            max_output_tokens=self.ask.limit,
            **thinking,
        )
