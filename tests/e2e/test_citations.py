"""What Anthropic cites, as the vendors' own SDKs read it in their dialects: whole, streamed, and sent back."""

import anthropic
import openai
import pytest
from fake import anthropic_dialect

pytestmark = pytest.mark.weir
HELLO = [{"role": "user", "content": "Hello there, friend"}]
TEXT = "Echo: Hello there, friend"
PAGE = anthropic_dialect.PAGE


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=stack.openai_url, api_key="sk-fake-client", timeout=30) as made:
        yield made


def test_annotations_of_chat_completions(client, case):
    model = case.model("ant", "fake-cited")
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
    (annotation,) = raw.parse().choices[0].message.annotations
    cited = annotation.url_citation
    assert (annotation.type, cited.url, cited.title) == ("url_citation", PAGE["url"], PAGE["title"])
    assert (cited.start_index, cited.end_index) == (0, len(TEXT))
    copies = {"anthropic_messages": {"citations": [anthropic_dialect.DOCUMENT, PAGE]}}
    assert raw.parse().choices[0].message.provider_metadata == copies
    assert "answer/citations" not in raw.headers.get("x-weir-fidelity", "")
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    (streamed,) = [delta.annotations for delta in deltas if getattr(delta, "annotations", None)]
    assert streamed == [annotation.model_dump()]
    assert [delta.provider_metadata for delta in deltas if hasattr(delta, "provider_metadata")] == [copies]


def test_annotations_of_responses(client, case):
    model = case.model("ant", "fake-cited")
    whole = client.responses.create(model=model, input=HELLO)
    (annotation,) = whole.output[0].content[0].annotations
    assert (annotation.type, annotation.url) == ("url_citation", PAGE["url"])
    with client.responses.stream(model=model, input=HELLO) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds.count("response.output_text.annotation.added") == 1
    assert final.output[0].content[0].annotations == [annotation]


def test_citations_of_anthropic_come_and_go_as_they_are(stack, case):
    request = {"model": case.model("ant", "fake-cited"), "max_tokens": 100}
    with anthropic.Anthropic(base_url=stack.anthropic_url, api_key="sk-ant-fake-client", timeout=30) as client:
        answer = client.messages.create(**request, messages=HELLO)
        with client.messages.stream(**request, messages=HELLO) as stream:
            folded = stream.get_final_message()
        cited = [citation.to_dict() for citation in answer.content[0].citations]
        assert cited == [anthropic_dialect.DOCUMENT, PAGE]
        assert [citation.to_dict() for citation in folded.content[0].citations] == cited
        turn = {"role": "assistant", "content": [block.to_dict() for block in answer.content]}
        client.messages.create(**request, messages=[*HELLO, turn, *HELLO])
    assert case.bodies()[-1]["messages"][1]["content"][0]["citations"] == cited
