#!/usr/bin/env python3
"""A model provider for tests: OpenAI and Anthropic on a port each, strict about what it is sent, on script.

`fake/script.py` lists the models, `fake/faults.py` the faults. Needs nothing but Python; with `jsonschema_rs`
and OpenAI's OpenAPI document it also validates OpenAI bodies. GET /_requests?id=TEST tells what came.
"""

import argparse
import asyncio
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake import faults, openai_checks, provider  # noqa: E402  the path is set just above


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--openai-port", type=int, default=0)
    parser.add_argument("--anthropic-port", type=int, default=0)
    parser.add_argument("--ready-file", help='receives {"openai_url", "anthropic_url", "pid"}')
    parser.add_argument("--openai-key", action="append", help="a prefix of the keys to accept")
    parser.add_argument("--anthropic-key", action="append", help="a prefix of the keys to accept")
    return parser.parse_args()


async def main():
    given = arguments()
    shared = [], faults.Attempts(), openai_checks.Document()
    openai = provider.Provider("openai", given.openai_key or ["sk-fake"], *shared)
    anthropic = provider.Provider("anthropic", given.anthropic_key or ["sk-ant-fake"], *shared)
    _, openai_port = await provider.listen(openai, given.openai_port)
    _, anthropic_port = await provider.listen(anthropic, given.anthropic_port)
    ready = {
        "openai_url": f"http://127.0.0.1:{openai_port}/v1",
        "anthropic_url": f"http://127.0.0.1:{anthropic_port}",
        "pid": os.getpid(),
    }
    if given.ready_file:
        path = pathlib.Path(given.ready_file)
        path.with_suffix(".part").write_text(json.dumps(ready))
        path.with_suffix(".part").rename(path)
    print(json.dumps(ready), flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
