"""boto3 against a Weir that has keys: signatures are verified, errors are AWS's, large bodies pass."""

import json

import boto3
import botocore.config
import botocore.exceptions
import pytest
import stack as stacks

pytestmark = pytest.mark.weir

ID = "WKIAE2EE2EE2EE2EE2EE"
SECRET = "the secret of the pair"
MODEL = "weir/extract"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    (folder / "secret").write_text(SECRET)
    (folder / "weir.yaml").write_text(
        json.dumps({"keys": [{"name": "sdk", "access_key_id": ID, "file": str(folder / "secret")}]})
    )
    command = [stacks.weir_binary(), "serve", "--config", folder / "weir.yaml", "--data-dir", folder / "data"]
    command += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    weir = stacks.Process("weir", folder, command)
    yield weir.ready["url"]
    assert weir.stop() == 0, weir.log_tail()


def client(url, access_key_id=ID, secret=SECRET):
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )


def converse(one, text="The weir is old. Who keeps it? Anna keeps the weir."):
    return one.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": text}]}])


def test_a_good_signature_is_served(url):
    assert converse(client(url))["output"]["message"]["content"][0]["text"]


@pytest.mark.parametrize(
    "access_key_id, secret, name",
    [
        (ID, "another secret", "InvalidSignatureException"),
        ("WKIASOMEBODYELSE0000", SECRET, "UnrecognizedClientException"),
    ],
)
def test_a_wrong_one_is_refused_by_awss_name(url, access_key_id, secret, name):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        converse(client(url, access_key_id, secret))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert caught.value.response["Error"]["Code"] == name


def test_a_large_body_needs_no_hash_of_its_own(url):
    """boto3 signs the body's hash and does not send it."""
    converse(client(url), "Anna keeps the weir. " * 150_000 + "Who keeps the weir?")
