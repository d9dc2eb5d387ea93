"""`weir check`, `weir key` and `weir version` as people and programs see them. They need no server."""

import json
import os
import re
import subprocess

import pytest
import stack as stacks

pytestmark = pytest.mark.weir

PROBLEMS = """serverr: 1
providers:
  - {name: openia}
  - {name: ours, knid: vllm}
routes:
  - {model: m, targets: [{provider: ours}, {provider: wier}]}
keys:
  - {name: ci, env: NO_SUCH_VARIABLE}
"""
LINES = {1: "'server'", 3: "'openai'", 4: "'kind'", 6: "'weir'", 8: "NO_SUCH_VARIABLE"}  # and what they name


def weir(*arguments, **env):
    command = [stacks.weir_binary(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **env})


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(PROBLEMS)
    return path


def test_check_tells_every_problem_on_a_line_of_its_own(bad):
    done = weir("check", bad)
    assert done.returncode == 1
    shape = re.compile(rf"{re.escape(str(bad))} line (\d+): (.+)")
    found = [shape.fullmatch(line) for line in done.stderr.splitlines()]
    assert all(found), done.stderr
    told = {int(match[1]): match[2] for match in found}
    assert told.keys() == LINES.keys(), done.stderr
    assert all(name in told[line] for line, name in LINES.items()), done.stderr


def test_check_tells_programs_the_same(bad, tmp_path):
    done = weir("check", "--json", bad)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    assert {problem["line"] for problem in told["problems"]} == LINES.keys()
    missing = weir("check", "--json", tmp_path / "no-such-file.yaml")
    assert missing.returncode == 1
    assert json.loads(missing.stdout)["problems"] == [{"message": "cannot be read: No such file or directory"}]


def test_what_a_start_would_trip_over_is_told(tmp_path):
    path = tmp_path / "weir.yaml"
    path.write_text("server:\n  data_dir: /etc/passwd\n  tls_key: /k\ngateway: {cors_origins: [example.com]}\n")
    told = {one["line"] for one in json.loads(weir("check", "--json", path).stdout)["problems"]}
    assert told == {2, 3, 4}
    assert weir("serve", "--config", path).returncode == 1
    folder = weir("check", tmp_path)
    assert (folder.returncode, folder.stderr) == (1, f"{tmp_path}: cannot be read: Is a directory\n")


def test_a_provider_without_its_key_is_warned_of(tmp_path):
    path = tmp_path / "weir.yaml"
    path.write_text("providers: [{name: openai}]\n")
    env = {"OPENAI_API_KEY": ""}
    told = json.loads(weir("check", "--json", path, **env).stdout)
    assert told["ok"] and "OPENAI_API_KEY" in told["warnings"][0]["message"]
    done = weir("check", path, **env)
    assert done.returncode == 0 and "warning: " in done.stderr


def test_the_configuration_that_holds_is_printed_for_programs(tmp_path):
    path = tmp_path / "weir.yaml"
    path.write_text("providers: [{name: openai, capabilities: {vision: false}}]\n")
    told = json.loads(weir("config", "--json", path).stdout)
    provider = told["providers"][0]
    assert provider["base_url"].startswith("https://") and provider["capabilities"] == {"vision": False}
    assert {"weir/extract", "openai/*"} <= {route["model"] for route in told["routes"]}


def test_a_provider_of_the_environment_is_printed_without_its_key():
    printed = weir("config", OPENAI_API_KEY="zq-secret").stdout
    assert '{env: "OPENAI_API_KEY", weight: 1}' in printed and "openai/*" in printed
    assert "zq-secret" not in printed


def test_what_cannot_be_printed_is_told_to_programs_too(tmp_path):
    done = weir("config", "--json", tmp_path / "no-such-file.yaml")
    assert done.returncode == 1
    message = json.loads(done.stdout)["error"]["message"]
    assert message.endswith("no-such-file.yaml: cannot be read: No such file or directory")


def test_a_mistyped_command_is_told_the_nearest():
    done = weir("serv")
    assert done.returncode == 2 and "'serve'" in done.stderr
    assert re.fullmatch(r"weir \d+\.\d+\.\d+\n", weir("--version").stdout)


def test_the_example_passes():
    keys = dict.fromkeys(["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "WEIR_CI_KEY"], "some-key")
    done = weir("check", "--json", stacks.ROOT / "config/weir.example.yaml", **keys)
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert (told["problems"], told["warnings"]) == ([], [])


def test_key_and_version_speak_to_programs(tmp_path):
    made = json.loads(weir("key", "--json").stdout)
    assert made["key"].startswith("wk_")
    config = tmp_path / "weir.yaml"
    config.write_text(json.dumps({"keys": [{"name": "ci", "hash": made["hash"]}]}))
    assert weir("check", config).returncode == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+", json.loads(weir("version", "--json").stdout)["version"])
