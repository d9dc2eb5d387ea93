"""The fake's Responses, Gemini and Bedrock: SDKs read its answers; it refuses what the vendors refuse."""

import json

import boto3
import botocore.config
import botocore.exceptions
import media
import openai
import pytest
import stack as stacks
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from fake import (
    answers,
    bedrock_checks,
    bedrock_dialect,
    faults,
    frames,
    gemini_checks,
    gemini_dialect,
    http,
    openai_document,
    responses_checks,
    responses_dialect,
    script,
    signatures,
    sigv4,
    smithy,
)
from google import genai
from google.genai import errors, types

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_MODELS = [name for name in script.MODELS if name != "fake-embed"]
EACH_MODEL = pytest.mark.parametrize("model", CHAT_MODELS)
KEY, SECRET = next(iter(sigv4.SECRETS.items()))


def answer(model, **more):
    turns = [script.Turn("user", ["Hello there"])]
    made = script.answer(model, script.Conversation([], turns, {"get_weather": CITY}, **more))
    made.tag = "abc"
    return made


@pytest.fixture(scope="module")
def document():
    made = openai_document.Document()
    if not made.available:
        pytest.skip("OpenAI's OpenAPI document is not beside the project (WEIR_SHARED_DIR)")
    return made


# ---- its answers are the vendors'


@EACH_MODEL
def test_its_responses_obey_openais_document(document, model):
    body = {"reasoning": {"summary": "auto"}, "include": [responses_dialect.ENCRYPTED]}
    made = answer(model, thinking=True)
    whole = responses_dialect.response(made, model, body)
    assert answers.problems(document, "rsp", whole) == []
    for event in responses_dialect.events(made, model, body, faults.Faults()):
        value = json.loads(event.split(b"data: ")[1])
        assert answers.problems(document, "rsp", value, is_event=True) == [], value


@EACH_MODEL
def test_its_converse_answers_obey_bedrocks_model(model):
    made = answer(model, thinking=True)
    assert smithy.problems("ConverseResponse", bedrock_dialect.converse(made)) == []
    for kind, value in bedrock_dialect.converse_values(made, faults.Faults()):
        assert smithy.problems("ConverseStreamOutput", {kind: value}) == [], value


@EACH_MODEL
def test_its_gemini_answers_have_the_types_of_googles_sdk(model):
    made = answer(model, thinking=True)
    assert answers.problems(None, "gem", gemini_dialect.response(made, model, {}, True)) == []
    for line in gemini_dialect.events(made, model, {}, faults.Faults(), True):
        assert answers.problems(None, "gem", json.loads(line.removeprefix(b"data: ")), is_event=True) == []


def test_a_frame_is_what_it_was_made_of_and_no_other():
    frame = frames.event("chunk", {"text": script.UNICODE})
    headers, payload = frames.parts(frame)
    assert headers[":event-type"] == "chunk" and json.loads(payload) == {"text": script.UNICODE}
    assert frames.parts(frames.spoiled(frame))[1] == payload[:5]
    with pytest.raises(ValueError, match="message CRC"):
        frames.parts(frames.with_bad_crc(frame))


# ---- the official SDKs, without Weir


@pytest.fixture
def responses(stack):
    return openai.OpenAI(base_url=stack.fake_openai_url, api_key=stacks.OPENAI_KEY, max_retries=0).responses


@pytest.fixture
def google(stack):
    options = types.HttpOptions(base_url=stack.fake_gemini_url)
    with genai.Client(api_key=stacks.GEMINI_KEY, http_options=options) as client:
        yield client.models


@pytest.fixture
def bedrock(stack):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=stack.fake_bedrock_url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )


OPENAI_TOOL = {"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}


def test_openais_sdk_runs_a_tool_loop_with_reasoning_on_responses(responses):
    request = {
        "model": "fake-agent",
        "tools": [OPENAI_TOOL],
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": [responses_dialect.ENCRYPTED],
        "store": False,
    }
    items, turns = [{"role": "user", "content": "Hello"}], 0
    while True:
        with responses.stream(input=items, **request) as stream:
            whole = stream.get_final_response()
        turns += 1
        assert whole.output[0].type == "reasoning" and whole.output[0].summary[0].text == script.THINKING
        calls = [item for item in whole.output if item.type == "function_call"]
        if not calls:
            break
        items += [item.model_dump(exclude_none=True) for item in whole.output]
        for call in calls:
            city = json.loads(call.arguments)["city"]
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": city})
    assert turns == 5 and whole.output_text.count(";") == 4


def test_a_stored_response_is_gone_on_from(responses):
    first = responses.create(model="fake-text", input="one")
    second = responses.create(model="fake-text", input="two", previous_response_id=first.id)
    assert second.output_text == "Echo: two" and second.usage.input_tokens > first.usage.input_tokens
    with pytest.raises(openai.BadRequestError, match="not found"):
        responses.create(model="fake-text", input="two", previous_response_id="resp_other")


def test_googles_sdk_runs_a_tool_loop_with_thoughts(google):
    declared = types.FunctionDeclaration(name="get_weather", parameters_json_schema=CITY)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        thinking_config=types.ThinkingConfig(include_thoughts=True),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    contents, turns = [types.UserContent("Hello")], 0
    while True:
        whole = google.generate_content(model="fake-agent", contents=contents, config=config)
        turns += 1
        parts = whole.candidates[0].content.parts
        assert parts[0].thought and parts[0].text == script.THINKING
        if not whole.function_calls:
            break
        assert next(part for part in parts if part.function_call).thought_signature
        contents.append(whole.candidates[0].content)
        results = [
            types.Part.from_function_response(name=call.name, response={"result": call.args["city"]})
            for call in whole.function_calls
        ]
        contents.append(types.Content(role="user", parts=results))
    assert turns == 5 and whole.text.count(";") == 4
    del contents[1].parts[1:]
    contents[1].parts[0] = types.Part.from_function_call(name="get_weather", args={"city": "x"})
    with pytest.raises(errors.ClientError, match="missing a thought_signature"):
        google.generate_content(model="fake-agent", contents=contents[:3], config=config)


def test_googles_sdk_streams_counts_and_embeds(google):
    chunks = list(google.generate_content_stream(model="fake-unicode", contents="x"))
    assert "".join(chunk.text or "" for chunk in chunks) == script.UNICODE
    assert chunks[-1].candidates[0].finish_reason == "STOP"
    assert google.count_tokens(model="fake-text", contents="Hello there").total_tokens == 2
    embedded = google.embed_content(model="fake-embed", contents=["one", "two"])
    assert [len(one.values) for one in embedded.embeddings] == [8, 8]


def aws_tools(model="fake-agent"):
    spec = {"name": "get_weather", "inputSchema": {"json": CITY}}
    return {
        "modelId": model,
        "toolConfig": {"tools": [{"toolSpec": spec}]},
        "inferenceConfig": {"maxTokens": 8000},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    }


def result_turn(blocks):
    results = [
        {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": call["input"]["city"]}]}}
        for call in (block["toolUse"] for block in blocks if "toolUse" in block)
    ]
    return {"role": "user", "content": results}


def test_boto3_runs_a_tool_loop_with_thinking_on_converse(bedrock):
    messages, turns = [{"role": "user", "content": [{"text": "Hello"}]}], 0
    while True:
        whole = bedrock.converse(messages=messages, **aws_tools())
        turns += 1
        message = whole["output"]["message"]
        assert message["content"][0]["reasoningContent"]["reasoningText"]["text"] == script.THINKING
        if whole["stopReason"] != "tool_use":
            break
        messages += [message, result_turn(message["content"])]
    assert turns == 5 and message["content"][1]["text"].count(";") == 4
    thought = messages[1]["content"][0]["reasoningContent"]["reasoningText"]
    for altered in (thought["signature"][:-3] + "AA=", "", signatures.issue("google", thought["text"], "a")):
        thought["signature"] = altered
        with pytest.raises(botocore.exceptions.ClientError, match="Invalid `signature`"):
            bedrock.converse(messages=messages, **aws_tools())


def test_boto3_reads_the_stream_of_converse(bedrock):
    request = {
        "modelId": "fake-interleaved-tools",
        "messages": [{"role": "user", "content": [{"text": "x"}]}],
    }
    tools = aws_tools()["toolConfig"]
    inputs, last = {}, None
    for event in bedrock.converse_stream(**request, toolConfig=tools)["stream"]:
        (last, value) = next(iter(event.items()))
        if last == "contentBlockDelta":
            at = value["contentBlockIndex"]
            inputs[at] = inputs.get(at, "") + value["delta"]["toolUse"]["input"]
    assert [json.loads(text)["city"] for text in inputs.values()] == script.CITIES
    assert last == "metadata"


def test_boto3_invokes_a_model_whole_and_streamed(bedrock):
    messages = [{"role": "user", "content": script.UNICODE}]
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "messages": messages})
    model = "us.anthropic.claude-sonnet-4-20250514-v1:0-fake-text"
    whole = json.loads(bedrock.invoke_model(modelId=model, body=body)["body"].read())
    assert whole["content"][0]["text"] == f"Echo: {script.UNICODE}"
    stream = bedrock.invoke_model_with_response_stream(modelId=model, body=body)["body"]
    events = [json.loads(event["chunk"]["bytes"]) for event in stream]
    texts = [event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta"]
    assert "".join(texts) == f"Echo: {script.UNICODE}"
    assert events[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 5


def test_boto3_embeds_and_counts(bedrock):
    def embed(model, body):
        return json.loads(bedrock.invoke_model(modelId=model, body=json.dumps(body))["body"].read())

    assert (
        len(embed("amazon.titan-embed-text-v2:0", {"inputText": "a", "dimensions": 256})["embedding"]) == 256
    )
    body = {"texts": ["a", "b"], "input_type": "search_document"}
    assert len(embed("cohere.embed-english-v3", body)["embeddings"]) == 2
    messages = [{"role": "user", "content": [{"text": "Hello there"}]}]
    counted = bedrock.count_tokens(modelId="fake-text", input={"converse": {"messages": messages}})
    assert counted["inputTokens"] == 2


@pytest.mark.parametrize(
    "fault, name",
    [
        ("status=429", "ThrottlingException"),
        ("status=400", "ValidationException"),
        ("status=503", "ServiceUnavailableException"),
        ("error-event-after=3", "EventStreamError"),
        ("bad-crc", "ChecksumMismatch"),
    ],
)
def test_a_fault_of_bedrock_has_the_class_that_boto3_knows(bedrock, fault, name):
    messages = [{"role": "user", "content": [{"text": "one two three four"}]}]
    with pytest.raises(Exception) as raised:
        list(bedrock.converse_stream(modelId=f"fake-text!{fault}", messages=messages)["stream"])
    assert type(raised.value).__name__ == name


@pytest.mark.parametrize("fault", ["status=429", "error-event-after=2"])
def test_a_fault_of_google_raises(google, fault):
    with pytest.raises(errors.APIError):
        list(google.generate_content_stream(model=f"fake-text!{fault}", contents="one two three four"))


# ---- signatures of requests


def signed(body=b"{}", path="/model/anthropic.x%3A0/converse", token=None, secret=SECRET):
    """A request as botocore signs it."""
    made = AWSRequest("POST", f"http://127.0.0.1:99{path}", data=body, headers={"content-type": "a/b"})
    SigV4Auth(Credentials(KEY, secret, token), "bedrock", "us-east-1").add_auth(made)
    headers = [*made.headers.items(), ("host", "127.0.0.1:99")]
    return http.Request("POST", path, headers, body)


def test_a_signature_of_botocores_is_accepted_and_an_altered_request_is_not():
    assert sigv4.problem(signed()) is None
    assert sigv4.problem(signed(token=sigv4.TOKEN)) is None
    assert "not match" in sigv4.problem(signed(secret="other"))
    assert "token" in sigv4.problem(signed(token="other"))
    for change in ({"body": b"{ }"}, {"target": "/model/anthropic.y%3A0/converse"}, {"method": "PUT"}):
        altered = signed()
        for name, value in change.items():
            setattr(altered, name, value)
        assert "not match" in sigv4.problem(altered), change


# ---- what it refuses


def turn(role, *parts):
    return {"role": role, "content": list(parts)}


TEXT, CALL = {"text": "x"}, {"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "y"}]}}
SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}
THOUGHT = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
LOOP = [turn("user", TEXT), turn("assistant", CALL), turn("user", RESULT)]


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"surprise": 1}, "unknown member"),
        ({"messages": []}, "at least one"),
        ({"messages": [turn("user", TEXT, {"text": 1})]}, "string"),
        ({"messages": [turn("user", {"text": "x", "image": {}})]}, "exactly one member"),
        ({"messages": [turn("user", TEXT), turn("user", TEXT)]}, "alternate"),
        ({"messages": [turn("assistant", TEXT)]}, "alternate"),
        ({"messages": [turn("user", {"text": " "})]}, "blank"),
        ({"messages": LOOP}, "toolConfig field must be defined"),
        ({"messages": LOOP[:2], "toolConfig": {"tools": [SPEC]}}, "without toolResult"),
        ({"messages": [turn("user", RESULT)], "toolConfig": {"tools": [SPEC]}}, "toolResult ids"),
        (
            {"messages": [*LOOP[:2], turn("user", RESULT, RESULT)], "toolConfig": {"tools": [SPEC]}},
            "toolResult ids",
        ),
        ({"messages": [*LOOP[:2], turn("user", TEXT, RESULT)], "toolConfig": {"tools": [SPEC]}}, "first"),
        ({"toolConfig": {"tools": []}}, "minimum"),
        ({"toolConfig": {"tools": [SPEC, SPEC]}}, "unique"),
        ({"toolConfig": {"tools": [SPEC], "toolChoice": {"tool": {"name": "g"}}}}, "no tool g"),
        ({"inferenceConfig": {"maxTokens": 0}}, "minimum"),
        ({"inferenceConfig": {"temperature": "hot"}}, "float"),
        ({"messages": [turn("user", TEXT), turn("assistant", THOUGHT)]}, "signature"),
    ],
    ids=str,
)
def test_a_bad_converse_body_is_refused(changes, problem):
    assert smithy.shapes(), "neither the Smithy document nor botocore is there"
    body = {"messages": [turn("user", TEXT)], **changes}
    assert problem in " ".join(bedrock_checks.converse(body))


def test_thinking_of_converse_stands_first_in_a_tool_loop():
    on = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
    body = {"messages": LOOP, "toolConfig": {"tools": [SPEC]}, "inferenceConfig": {"maxTokens": 5000}, **on}
    assert "expected thinking" in " ".join(bedrock_checks.converse(body))
    text = {"text": "hm", "signature": signatures.issue(signatures.CLAUDE, "hm", "tag")}
    thought = {"reasoningContent": {"reasoningText": text}}
    good = {**body, "messages": [LOOP[0], turn("assistant", thought, CALL), LOOP[2]]}
    assert bedrock_checks.converse(good) == []


INVOKE = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "x"}],
}


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"model": "m"}, "extraneous"),
        ({"stream": True}, "extraneous"),
        ({"anthropic_version": "2023-06-01"}, "must be one of"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"anthropic_beta": "x"}, "list"),
    ],
    ids=str,
)
def test_a_bad_invoke_body_is_refused(changes, problem):
    assert bedrock_checks.invoke({**INVOKE, "anthropic_beta": ["a"]}) == []
    assert problem in " ".join(bedrock_checks.invoke({**INVOKE, **changes}))


@pytest.mark.parametrize(
    "check, body, problem",
    [
        (bedrock_checks.titan, {"inputText": ""}, "minLength"),
        (bedrock_checks.titan, {"inputText": "x", "dimensions": 8}, "dimensions"),
        (bedrock_checks.titan, {"inputText": ["x"]}, "wrong type"),
        (bedrock_checks.cohere, {"texts": ["x"]}, "input_type"),
        (bedrock_checks.cohere, {"texts": ["x"] * 97, "input_type": "search_query"}, "1 to 96"),
        (bedrock_checks.cohere, {"texts": ["x"], "input_type": "search_query", "a": 1}, "extraneous"),
    ],
    ids=str,
)
def test_a_bad_embedding_body_of_bedrock_is_refused(check, body, problem):
    assert problem in " ".join(check(body))


def said(role, *parts):
    return {"role": role, "parts": list(parts)}


GCALL = {"functionCall": {"name": "f", "args": {"a": 1}}}
GRESULT = {"functionResponse": {"name": "f", "response": {"output": "y"}}}
GSIGNED = {
    **GCALL,
    "thoughtSignature": signatures.issue("google", gemini_dialect.call_text(GCALL["functionCall"]), "t"),
}


def loop(call, *results):
    return {"contents": [said("user", TEXT), said("model", call), said("user", *results)]}


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"surprise": 1}, "unknown field"),
        ({"contents": []}, "not specified"),
        ({"contents": [said("assistant", TEXT)]}, "valid role"),
        ({"contents": [said("user", TEXT), said("user", TEXT)]}, "alternate"),
        ({"contents": [said("user", {"txt": "x"})]}, "Extra inputs"),
        ({"contents": [said("user", {"text": "x", "inlineData": {}})]}, "oneof"),
        ({"contents": [said("user", TEXT), said("model", GSIGNED)]}, "no function response"),
        ({"contents": [said("user", GRESULT)]}, "were called"),
        (loop(GSIGNED, GRESULT, GRESULT), "were called"),
        (loop(GSIGNED, GRESULT, TEXT), "alone"),
        (loop(GCALL, GRESULT), "missing a thought_signature"),
        (loop({**GSIGNED, "thoughtSignature": "AAAA"}, GRESULT), "Corrupted"),
        ({"generationConfig": {"temperature": 3}}, "temperature"),
        ({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}, "responseMimeType"),
        ({"generationConfig": {"max_tokens": 3}}, "Extra inputs"),
        ({"tools": [{"functionDeclarations": [{"name": "1 f"}]}]}, "Invalid function name"),
        ({"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "f"}]}]}, "Duplicate"),
    ],
    ids=str,
)
def test_a_bad_gemini_body_is_refused(changes, problem):
    body = {"contents": [said("user", TEXT)], **changes}
    assert problem in " ".join(gemini_checks.generate(body, True))


def test_good_gemini_bodies_pass():
    assert gemini_checks.generate(loop(GSIGNED, GRESULT), True) == []
    assert gemini_checks.generate(loop(GCALL, GRESULT), False) == []
    dummy = {**GCALL, "thoughtSignature": "skip_thought_signature_validator"}
    assert gemini_checks.generate(loop(dummy, GRESULT), True) == []


RCALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
ROUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "y"}
RTHOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
HELLO = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"messages": []}, "messages: Extra inputs"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input"),
        ({"input": [{**HELLO, "name": "n"}]}, "name: Extra inputs"),
        ({"input": [HELLO, RCALL]}, "No tool output found"),
        ({"input": [HELLO, ROUTPUT]}, "No tool call found"),
        ({"input": [HELLO, RCALL, ROUTPUT, ROUTPUT]}, "second output"),
        ({"input": [HELLO, RTHOUGHT, RCALL, ROUTPUT]}, "not found"),
        ({"input": [HELLO, {**RTHOUGHT, "encrypted_content": "AAAA"}, RCALL, ROUTPUT]}, "verified"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
    ],
    ids=str,
)
def test_a_bad_responses_body_is_refused(document, changes, problem):
    body = {"model": "m", "input": "x", **changes}
    assert problem in " ".join(responses_checks.check(document, body))


def test_good_responses_bodies_pass(document):
    data, _ = media.base64_png(2, 2)
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{data}", "detail": "auto"}
    secret = signatures.issue("openai", "rs_1", "tag")
    items = [
        {"role": "user", "content": [picture]},
        {**RTHOUGHT, "encrypted_content": secret},
        RCALL,
        ROUTPUT,
    ]
    assert responses_checks.check(document, {"model": "m", "input": items}) == []
    assert (
        responses_checks.check(document, {"model": "m", "input": [HELLO, RTHOUGHT, RCALL, ROUTPUT]}, {"rs_1"})
        == []
    )


def test_a_picture_is_seen_in_every_dialect():
    data, facts = media.base64_png(8, 6)
    url = f"data:image/png;base64,{data}"
    bodies = [
        (responses_dialect.read, {"input": [turn("user", {"type": "input_image", "image_url": url})]}),
        (
            gemini_dialect.read,
            {"contents": [said("user", {"inlineData": {"mimeType": "image/png", "data": data}})]},
        ),
        (
            bedrock_dialect.read,
            {"messages": [turn("user", {"image": {"format": "png", "source": {"bytes": data}}})]},
        ),
    ]
    for read, body in bodies:
        assert script.answer("fake-vision", read(body)).blocks == [("text", facts)]
