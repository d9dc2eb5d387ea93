"""Thinking and tools over five turns: every client over every upstream, and over another one in every turn.

fake-agent thinks and calls in four steps (two calls in the second) and sums up in the fifth. The fake refuses
what its vendor refuses: thinking that lacks its signature, or has one of somebody else.
"""

import pytest
import stack as stacks
from clients import CLIENTS, NATIVE, base
from fake import script, signatures

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
STEPS = [1, 2, 1, 1, 0]  # calls in each turn

# Whose signatures a dialect carries in both directions; chat completions have no place for any. Where a client
# cannot carry them, Weir keeps them.
ISSUERS = {"oai": None, "rsp": "openai", "ant": "claude", "cnv": "claude", "inv": "claude", "gem": "google"}


def pairs_of(metafunc):
    direct = metafunc.config.getoption("--direct")
    return [
        (client, upstream)
        for client in NATIVE
        for upstream in stacks.UPSTREAMS
        if not direct or upstream == CLIENTS[client].DIALECT
    ]


def pytest_generate_tests(metafunc):
    names = metafunc.fixturenames
    if "signer" in names:
        metafunc.parametrize("client, signer", [pair for pair in pairs_of(metafunc) if ISSUERS[pair[1]]])
    elif "upstream" in names:
        metafunc.parametrize("client, upstream", pairs_of(metafunc))
    elif "first" in names:
        made = [(client, first) for client in NATIVE for first in range(len(stacks.UPSTREAMS))]
        metafunc.parametrize("client, first", made)
    elif "there" in names:
        made = [(client, there) for client in NATIVE for there in stacks.UPSTREAMS if ISSUERS[there]]
        metafunc.parametrize("client, there", made)


@pytest.fixture
def chat(stack, client):
    made = []

    def make(model, stream):
        made.append(CLIENTS[client](stack, model, base.Ask(tools=True, thinking=True), stream))
        return made[-1]

    yield make
    for one in made:
        one.close()


def run(one, model_of_turn):
    """Five turns of the loop; the Got of each."""
    found, said = [], 0
    one.model = model_of_turn(0)
    found.append(one.say("Find out."))
    for turn in range(1, len(STEPS)):
        one.model = model_of_turn(turn)
        results = [f"result {said + number}" for number in range(len(found[-1].calls))]
        said += len(results)
        found.append(one.answer(found[-1], results))
    return found


def blocks_of(body):
    """The parts of what was said before, in whatever dialect."""
    for message in body.get("messages") or body.get("contents") or [{"content": body.get("input")}]:
        content = message.get("content", message.get("parts"))
        yield from content if isinstance(content, list) else ()


def signed_steps(body):
    """How many steps of the loop came back with thoughts that the provider can verify."""
    count = 0
    for block in blocks_of(body):
        signature = block.get("signature") or block.get("thoughtSignature") or block.get("encrypted_content")
        signature = signature or (block.get("reasoningContent") or {}).get("reasoningText", {}).get(
            "signature"
        )
        count += bool(signature) and signature not in signatures.GOOGLE_DUMMIES
    return count


@WAYS
def test_five_turns_with_thinking_and_tools(chat, case, client, upstream, stream):
    model = case.dotted(upstream, "fake-agent")
    one = chat(model, stream)
    found = run(one, lambda turn: model)
    assert [len(got.calls) for got in found] == STEPS
    assert found[-1].text == "Results: " + "; ".join(f"result {number}" for number in range(5))
    assert found[1].cities == script.CITIES[:2]
    assert [record["status"] for record in case.records()] == [200] * 5
    again = one.say("And now?")
    assert again.stop == "tool" and len(again.calls) == 1


@WAYS
def test_thoughts_come_back_to_who_signed_them(chat, case, client, signer, stream):
    model = case.dotted(signer, "fake-agent")
    run(chat(model, stream), lambda turn: model)
    assert [signed_steps(body) for body in case.bodies()] == [0, 1, 2, 3, 4]


@pytest.mark.weir
@WAYS
def test_another_provider_in_every_turn(chat, case, client, first, stream):
    order = [*stacks.UPSTREAMS, *stacks.UPSTREAMS][first : first + len(STEPS)]
    models = [case.dotted(upstream, "fake-agent") for upstream in order]
    found = run(chat(models[0], stream), lambda turn: models[turn])
    assert [len(got.calls) for got in found] == STEPS
    assert found[-1].text == "Results: " + "; ".join(f"result {number}" for number in range(5))
    assert [record["status"] for record in case.records()] == [200] * 5


@pytest.mark.weir
@WAYS
def test_a_provider_that_is_come_back_to_gets_its_own_thoughts(chat, case, client, there, stream):
    """There, elsewhere, and there again: the thoughts of the first step are good, the second has none."""
    order = [there, "oai", there, there, there]
    models = [case.dotted(upstream, "fake-agent") for upstream in order]
    run(chat(models[0], stream), lambda turn: models[turn])
    assert [record["status"] for record in case.records()] == [200] * 5
