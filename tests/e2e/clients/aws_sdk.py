"""boto3 with Bedrock Runtime: Converse, and InvokeModel with Anthropic's bodies."""

import base64
import json

import boto3
import botocore.config

from . import anthropic_sdk, base

VERSION = "bedrock-2023-05-31"


def connect(url, retries=0, **more):
    """A client with credentials of its own, which nobody but a test's server knows."""
    keys = {"aws_access_key_id": "AKIAFAKECLIENT000001", "aws_secret_access_key": "fake/client/secret"}
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        config=botocore.config.Config(
            retries={"total_max_attempts": retries + 1}, read_timeout=30, max_pool_connections=4
        ),
        **{**keys, **more},
    )


class Aws(base.Chat):
    ERRORS = {
        400: "ValidationException",
        404: "ResourceNotFoundException",
        429: "ThrottlingException",
        500: "InternalServerException",
    }
    STREAM_ERRORS = ("EventStreamError",)

    def connect(self, stack, retries):
        if stack.direct:
            from fake import sigv4

            key, secret = next(iter(sigv4.SECRETS.items()))
            return connect(stack.bedrock_url, retries, aws_access_key_id=key, aws_secret_access_key=secret)
        return connect(stack.bedrock_url, retries)

    def close(self):
        self.client.close()


class Converse(Aws):
    DIALECT = "cnv"
    STOPS = {
        "end_turn": "end",
        "stop_sequence": "end",
        "max_tokens": "length",
        "tool_use": "tool",
        "content_filtered": "refusal",
    }

    def add_user(self, text, image):
        blocks = [{"text": text}]
        if image:
            blocks.append({"image": {"format": "png", "source": {"bytes": base64.b64decode(image)}}})
        self.history.append({"role": "user", "content": blocks})

    def add_results(self, calls, results):
        blocks = [
            {"toolResult": {"toolUseId": call[0], "content": [{"text": result}]}}
            for call, result in zip(calls, results, strict=True)
        ]
        self.history.append({"role": "user", "content": blocks})

    def request(self):
        found = {"modelId": self.model, "messages": self.history}
        found["inferenceConfig"] = {"maxTokens": self.ask.limit}
        if self.ask.system:
            found["system"] = [{"text": self.ask.system}]
        if self.ask.tools:
            spec = {"name": base.TOOL, "description": base.ABOUT_TOOL, "inputSchema": {"json": base.CITY}}
            found["toolConfig"] = {"tools": [{"toolSpec": spec}]}
        if self.ask.thinking:
            thinking = {"type": "enabled", "budget_tokens": 1024}
            found["additionalModelRequestFields"] = {"thinking": thinking}
        if self.ask.schema:
            structure = {"jsonSchema": {"name": "person", "schema": json.dumps(self.ask.schema)}}
            found["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
        return found

    def folded(self):
        """A stream as the whole answer that it tells of."""
        blocks, answer = {}, {}
        for event in self.client.converse_stream(**self.request())["stream"]:
            ((kind, value),) = event.items()
            at = value.get("contentBlockIndex")
            if kind == "contentBlockStart":
                blocks[at] = {"toolUse": {**value["start"]["toolUse"], "input": ""}}
            elif kind == "contentBlockDelta":
                self.add_delta(blocks.setdefault(at, {}), value["delta"])
            elif kind in ("messageStop", "metadata"):
                answer |= value
        for block in blocks.values():
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
        content = [blocks[at] for at in sorted(blocks)]
        return {**answer, "output": {"message": {"role": "assistant", "content": content}}}

    @staticmethod
    def add_delta(block, delta):
        if "text" in delta:
            block["text"] = block.get("text", "") + delta["text"]
        elif "toolUse" in delta:
            block["toolUse"]["input"] += delta["toolUse"]["input"]
        elif "redactedContent" in delta.get("reasoningContent", {}):
            block["reasoningContent"] = delta["reasoningContent"]
        else:
            known = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
            for key, value in delta["reasoningContent"].items():
                known[key] = known.get(key, "") + value

    def turn(self):
        answer = self.folded() if self.stream else self.client.converse(**self.request())
        message = answer["output"]["message"]
        self.history.append(message)
        got = base.Got(stop=self.stop_of(answer["stopReason"]))
        for block in message["content"]:
            if "text" in block:
                got.text += block["text"]
            elif "toolUse" in block:
                call = block["toolUse"]
                got.calls.append((call["toolUseId"], call["name"], call["input"]))
            elif "reasoningText" in block.get("reasoningContent", {}):
                got.thinking += block["reasoningContent"]["reasoningText"]["text"]
        usage = answer["usage"]
        cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
        got.tokens = (usage["inputTokens"] + cached, usage["outputTokens"])
        return got

    def first_texts(self):
        stream = self.client.converse_stream(**self.request())["stream"]
        try:
            for event in stream:
                if "contentBlockDelta" in event:
                    yield event["contentBlockDelta"]["delta"]["text"]
        finally:
            stream.close()

    def count(self, text):
        converse = {"messages": [{"role": "user", "content": [{"text": text}]}]}
        answer = self.client.count_tokens(modelId=self.model, input={"converse": converse})
        return answer["inputTokens"]


class Invoke(Aws):
    DIALECT = "inv"

    def add_user(self, text, image):
        self.history.append(anthropic_sdk.user_turn(text, image))

    def add_results(self, calls, results):
        self.history.append(anthropic_sdk.result_turn(calls, results))

    def request(self):
        body = {"anthropic_version": VERSION, **anthropic_sdk.body(self.ask, self.history)}
        return {"modelId": self.model, "body": json.dumps(body)}

    def events(self):
        answer = self.client.invoke_model_with_response_stream(**self.request())
        try:
            for event in answer["body"]:
                yield json.loads(event["chunk"]["bytes"])
        finally:
            answer["body"].close()

    def folded(self):
        message = None
        inputs = {}
        for event in self.events():
            kind = event["type"]
            if kind == "message_start":
                message = event["message"]
            elif kind == "content_block_start":
                message["content"].append(event["content_block"])
            elif kind == "content_block_delta":
                self.add_delta(message["content"], inputs, event["index"], event["delta"])
            elif kind == "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
        for at, text in inputs.items():
            message["content"][at]["input"] = json.loads(text or "{}")
        return message

    @staticmethod
    def add_delta(content, inputs, at, delta):
        fields = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
        if delta["type"] == "input_json_delta":
            inputs[at] = inputs.get(at, "") + delta["partial_json"]
        else:
            name = fields[delta["type"]]
            content[at][name] = content[at].get(name, "") + delta[name]

    def turn(self):
        if self.stream:
            message = self.folded()
        else:
            message = json.loads(self.client.invoke_model(**self.request())["body"].read())
        self.history.append({"role": "assistant", "content": message["content"]})
        return anthropic_sdk.read(message)

    def first_texts(self):
        for event in self.events():
            if event["type"] == "content_block_delta":
                yield event["delta"]["text"]

    def count(self, text):
        """By CountTokens with an InvokeModel body, which boto3 base64-encodes itself."""
        self.add_user(text, None)
        body = self.request()["body"].encode()
        answer = self.client.count_tokens(modelId=self.model, input={"invokeModel": {"body": body}})
        return answer["inputTokens"]
