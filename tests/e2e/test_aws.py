"""What AWS users do: the tutorials' plain program, ids of profiles and ARNs, SigV4 from clients."""

import os
import subprocess
import sys

import httpx
import pytest
import stack as stacks
from clients import aws_sdk

pytestmark = pytest.mark.weir

# As the tutorials print it; only the endpoint and what it is asked are filled in.
TUTORIAL = """
import boto3
import json

client = boto3.client('bedrock-runtime', endpoint_url='{url}')

response = client.invoke_model(
    modelId='{model}',
    body=json.dumps({{
        'anthropic_version': 'bedrock-2023-05-31',
        'max_tokens': 1000,
        'messages': [{{'role': 'user', 'content': 'Hello there'}}]
    }})
)
print(json.loads(response['body'].read())['content'][0]['text'])
"""
NAMES = stacks.AWS_NAMES


@pytest.mark.parametrize("upstream", NAMES)
def test_the_plain_program_of_the_tutorials_runs(stack, upstream):
    program = TUTORIAL.format(url=stack.weir.ready["url"], model=NAMES[upstream])
    env = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIAFAKECLIENT000001",
        "AWS_SECRET_ACCESS_KEY": "fake/client/secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("Echo: Hello there\n", 0), done.stderr


@pytest.mark.parametrize("upstream", NAMES)
def test_converse_takes_ids_of_profiles_and_arns(stack, upstream):
    client = aws_sdk.connect(stack.bedrock_url)
    messages = [{"role": "user", "content": [{"text": "Hello there"}]}]
    answer = client.converse(modelId=NAMES[upstream], messages=messages)
    assert answer["output"]["message"]["content"] == [{"text": "Echo: Hello there"}]
    events = list(client.converse_stream(modelId=NAMES[upstream], messages=messages)["stream"])
    assert "metadata" in events[-1] and "messageStart" in events[0]


def test_a_base_path_before_the_models_path_is_kept(stack):
    client = aws_sdk.connect(f"{stack.bedrock_url}/bedrock")
    messages = [{"role": "user", "content": [{"text": "Hello there"}]}]
    assert client.converse(modelId=stacks.CLAUDE, messages=messages)["stopReason"] == "end_turn"


def test_a_bearer_key_of_bedrocks_is_taken_where_nobody_has_keys(stack):
    """As AWS_BEARER_TOKEN_BEDROCK makes the SDKs send it; boto3 does so only over TLS."""
    body = {"anthropic_version": aws_sdk.VERSION, "max_tokens": 9}
    body["messages"] = [{"role": "user", "content": "x"}]
    answer = httpx.post(
        f"{stack.bedrock_url}/model/{stacks.CLAUDE.replace(':', '%3A')}/invoke",
        json=body,
        headers={"authorization": "Bearer bedrock-api-key-fake"},
    )
    assert answer.status_code == 200 and answer.json()["content"][0]["text"] == "Echo: x"


def test_no_frame_of_a_stream_is_lost_in_64_at_once(stack, case):
    """Many streams of frames over few connections: each is whole and none has another's text."""
    from concurrent.futures import ThreadPoolExecutor

    client = aws_sdk.connect(stack.bedrock_url)

    def one(number):
        messages = [{"role": "user", "content": [{"text": f"number {number}"}]}]
        stream = client.converse_stream(modelId=stacks.CLAUDE, messages=messages)["stream"]
        deltas = [
            event["contentBlockDelta"]["delta"]["text"] for event in stream if "contentBlockDelta" in event
        ]
        return "".join(deltas)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, range(64))) == [f"Echo: number {number}" for number in range(64)]
