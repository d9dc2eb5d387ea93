"""Codex and OpenCode, the programs, over every upstream, in a network without outside.

They are large, so nothing installs them by itself: `E2E_ONLY=cli tests/run_e2e.sh` does. Each program gets a
stack of its own inside its namespace.
"""

import functools
import json
import shutil
import subprocess
import sys

import pytest
import stack as stacks

FOLDER = stacks.ROOT / "build/cli/node_modules"
PROGRAMS = {
    "codex": "@openai/codex-linux-x64/vendor/*/bin/codex",
    "opencode": "opencode-linux-x64-baseline/bin/opencode",
}
INSIDE = 'ip link set lo up && exec "$@"'


@functools.cache
def drive(kind, direct):
    """What cli_drive.py printed, by (upstream, model)."""
    program = next(FOLDER.glob(PROGRAMS[kind]), None)
    if program is None:
        pytest.skip("the programs are not installed: E2E_ONLY=cli tests/run_e2e.sh")
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    here = stacks.ROOT / "tests/e2e"
    stack = [sys.executable, here / "stack.py", *(["--direct"] if direct else []), "--"]
    driver = [sys.executable, here / "cli_drive.py", kind, program]
    upstreams = ["direct"] if direct else stacks.UPSTREAMS
    command = ["unshare", "-rn", "sh", "-c", INSIDE, "sh", *map(str, [*stack, *driver, *upstreams])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"upstream"')]
    return {(one["upstream"], one["model"]): one for one in found}


def pytest_generate_tests(metafunc):
    direct = metafunc.config.getoption("--direct")
    metafunc.parametrize("upstream", ["direct"] if direct else list(stacks.UPSTREAMS))
    metafunc.parametrize("kind", PROGRAMS)


def test_a_coding_agent_gets_its_answer(request, kind, upstream):
    got = drive(kind, request.config.getoption("--direct"))[upstream, "fake-text"]
    assert got["texts"] and "Echo: " in got["texts"][-1], got
    assert all(status == 200 and not problems for status, problems in got["requests"]), got


def test_a_coding_agent_runs_a_tool_and_goes_on(request, kind, upstream):
    got = drive(kind, request.config.getoption("--direct"))[upstream, "fake-tools"]
    assert len(got["requests"]) >= 2, got
    assert got["texts"] and "Results: " in got["texts"][-1], got
    assert all(status == 200 and not problems for status, problems in got["requests"]), got
