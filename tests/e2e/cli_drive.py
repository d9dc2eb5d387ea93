"""Runs a coding agent's program against the stack that it is started in (stack.py) and prints what came out.

usage: stack.py -- cli_drive.py codex|opencode PROGRAM UPSTREAM...   one JSON line for each upstream and model
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

MODELS = ["fake-text", "fake-tools"]
# Tools that only OpenAI's own servers run can be had from no other provider; a user of others turns them off.
CODEX_CONFIG = """
model = "{model}"
model_provider = "weir"
approval_policy = "never"
web_search = "disabled"

[features]
multi_agent = false

[model_providers.weir]
name = "Weir"
base_url = "{url}"
wire_api = "responses"
env_key = "WEIR_KEY"
request_max_retries = 0
stream_max_retries = 0
"""


def run(command, folder, env):
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return lines, done.stderr[-2000:]


def codex(program, folder, model):
    """The texts that Codex says."""
    home = folder / "home"
    home.mkdir()
    (home / "config.toml").write_text(CODEX_CONFIG.format(model=model, url=os.environ["OPENAI_URL"]))
    command = [program, "exec", "--skip-git-repo-check", "--sandbox", "read-only", "--json", "Hello there"]
    lines, errors = run(command, folder, {"CODEX_HOME": str(home), "WEIR_KEY": "sk-fake-client"})
    items = [line["item"] for line in lines if line["type"] == "item.completed"]
    texts = [item["text"] for item in items if item["type"] == "agent_message"]
    failures = [line for line in lines if line["type"] in ("error", "turn.failed")]
    return texts, failures or errors


def opencode(program, folder, model):
    """The texts that OpenCode says."""
    options = {"baseURL": os.environ["OPENAI_URL"], "apiKey": "sk-fake-client"}
    limits = {"limit": {"context": 200_000, "output": 8000}}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {model: limits}}
    config = {"autoupdate": False, "share": "disabled", "provider": {"weir": provider}}
    (folder / "opencode.json").write_text(json.dumps(config))
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    command = [program, "run", "--format", "json", "-m", f"weir/{model}", "Hello there"]
    lines, errors = run(command, folder, env)
    texts = [line["part"]["text"] for line in lines if line["type"] == "text"]
    return texts, [line for line in lines if line["type"] == "error"] or errors


def main():
    kind, program, *upstreams = sys.argv[1:]
    for upstream in upstreams:
        for name in MODELS:
            identity = f"{upstream}-{name}"
            model = f"{name}~{identity}" if upstream == "direct" else f"{upstream}.{name}~{identity}"
            folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-cli-", dir=os.environ.get("WEIR_CLI_DIR")))
            texts, failures = {"codex": codex, "opencode": opencode}[kind](program, folder, model)
            with urllib.request.urlopen(
                f"{os.environ['FAKE_ANTHROPIC_URL']}/_requests?id={identity}"
            ) as reply:
                records = json.load(reply)
            found = {"upstream": upstream, "model": name, "texts": texts, "failures": failures}
            found["requests"] = [[record["status"], record["problems"]] for record in records]
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
