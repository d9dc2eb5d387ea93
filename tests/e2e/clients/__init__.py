"""One face for every client SDK, so that one test asks the same of all of them.

A Chat is a conversation as an application of that SDK leads it: it keeps the history in the SDK's own objects
and sends back what it got. `CLIENTS` names them all.
"""

from . import anthropic_sdk, aws_sdk, google_sdk, langchain_sdk, openai_sdk

CLIENTS = {
    "openai-chat": openai_sdk.Completions,
    "openai-responses": openai_sdk.Responses,
    "anthropic": anthropic_sdk.Messages,
    "google-genai": google_sdk.Google,
    "boto3-converse": aws_sdk.Converse,
    "boto3-invoke": aws_sdk.Invoke,
    "langchain-openai": langchain_sdk.OpenAI,
    "langchain-responses": langchain_sdk.Responses,
    "langchain-anthropic": langchain_sdk.Anthropic,
    "langchain-aws": langchain_sdk.Aws,
    "langchain-google": langchain_sdk.Google,
}
# The six that speak their dialect with nothing in between.
NATIVE = list(CLIENTS)[:6]
