"""The session's stack, the clients, and `case`: the identity of one test at the fake provider.

`pytest --direct` points the clients at the fake provider itself: that proves the tests. Tests of what only
Weir does carry the mark `weir` and are not run then. A test with the argument `upstream` runs once for each
dialect of provider behind Weir; its module says in CLIENT which dialect its client speaks.
"""

import collections
import itertools
import uuid

import httpx
import pytest
import stack as stacks


def pytest_addoption(parser):
    parser.addoption("--direct", action="store_true", help="clients talk to the fake provider, without Weir")


def pytest_configure(config):
    config.addinivalue_line("markers", "weir: needs Weir between client and provider")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--direct"):
        return
    out = [item for item in items if item.get_closest_marker("weir")]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


def pytest_generate_tests(metafunc):
    if "upstream" in metafunc.fixturenames and hasattr(metafunc.module, "CLIENT"):
        direct = metafunc.config.getoption("--direct")
        metafunc.parametrize("upstream", [metafunc.module.CLIENT] if direct else ["oai", "ant"])


@pytest.fixture(scope="session")
def stack(request):
    running = stacks.Stack(request.config.getoption("--direct"))
    yield running
    code = running.stop()
    assert code == 0, f"weir ended with {code}:\n{running.weir.log_tail()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and "stack" in item.funcargs and item.funcargs["stack"].is_up:
        for process in item.funcargs["stack"].processes:
            since = getattr(item, "log_sizes", {}).get(process.name, 0)
            report.sections.append((f"{process.name}: log of this test", process.log_tail(since=since)))
        if "case" in item.funcargs:
            report.sections.append(("fake: requests of this test", item.funcargs["case"].story()))
    return report


def pytest_terminal_summary(terminalreporter):
    """The SDKs' versions, since one suite runs with several."""
    import anthropic
    import openai

    terminalreporter.write_line(
        f"with the SDKs openai {openai.__version__} and anthropic {anthropic.__version__}"
    )


LANE = itertools.count()
MATRIX_LANE = collections.defaultdict(itertools.count)  # by upstream


class Case:
    """One test: names models such that the fake provider knows which test asks, and reads back what came."""

    def __init__(self, stack):
        self.stack = stack
        self.id = uuid.uuid4().hex[:12]
        self.refusals_expected = False
        self.weir_may_end = False
        self.lane = None

    def model(self, upstream, name, fault=""):
        """The name a client asks for. A faulty one goes through a target that no other test uses."""
        full = f"{name}~{self.id}" + (f"!{fault}" if fault else "")
        if self.stack.direct:
            return full
        if fault and self.lane is None:
            number = next(LANE)
            assert number < stacks.LANES, "more faulty tests than targets for them: raise LANES"
            self.lane = f"-f{number:03}"
        return f"{upstream}{self.lane if fault else ''}/{full}"

    def dotted(self, upstream, name, fault="", fails=False):
        """The same over all six upstreams, without a slash: Google's SDKs write names into the path as is.

        `fails`: the fault is a failure, which must not meet another test's breaker or its cooling key.
        """
        full = f"{name}~{self.id}" + (f"!{fault}" if fault else "")
        if self.stack.direct:
            return full
        if fails and self.lane is None:
            number = next(MATRIX_LANE[upstream])
            assert number < stacks.PYTHON_LANES, "more failing tests than targets: raise PYTHON_LANES"
            self.lane = f"-x{number:03}"
        return f"{upstream}{self.lane if fails else ''}.{full}"

    def in_lane(self, upstream, name, fault, lane):
        """The same for a failure, through the lane that the caller says."""
        full = f"{name}~{self.id}!{fault}"
        return full if self.stack.direct else f"{upstream}-x{lane:03}.{full}"

    def records(self):
        return self.stack.records(self.id)

    def bodies(self):
        """The JSON bodies that the fake received, in order."""
        import base64
        import json

        return [json.loads(base64.b64decode(record["body"])) for record in self.records()]

    def story(self):
        return "\n".join(
            f"{record['method']} {record['target']} {record['model']} -> {record.get('status')} "
            f"events={record.get('events_sent')} done={record['done']} "
            f"gone_ms={record['client_gone_ms']} {record['problems']}"
            for record in self.records()
        )


@pytest.fixture
def case(request, stack):
    request.node.log_sizes = {process.name: process.log_size() for process in stack.processes}
    made = Case(stack)
    yield made
    if not made.refusals_expected:
        problems = [problem for record in made.records() for problem in record["problems"]]
        assert not problems, f"the provider was sent what it must refuse: {problems}"
    if stack.weir and not made.weir_may_end:
        assert stack.weir.child.poll() is None, f"weir is gone:\n{stack.weir.log_tail()}"


@pytest.fixture
def http(stack):
    """A plain client for what no SDK does; paths are relative to the OpenAI base URL's host."""
    base = stack.openai_url.removesuffix("/v1")
    with httpx.Client(
        base_url=base, timeout=30, headers={"authorization": f"Bearer {stacks.CLIENT_KEY}"}
    ) as client:
        yield client
