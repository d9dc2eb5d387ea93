#!/usr/bin/env python3
"""A model provider for tests: OpenAI, Anthropic, Gemini and Bedrock, strict about what it is sent, on script.

`fake/script.py` lists the models, `fake/faults.py` the faults. Needs nothing but Python; with `jsonschema_rs`
and OpenAI's OpenAPI document it also validates OpenAI's bodies, with `google-genai` Google's, with the Smithy
document or botocore Bedrock's. GET /_requests?id=TEST on any of its ports tells what came.
"""

import argparse
import asyncio
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake import faults, openai_document, ports, provider  # noqa: E402  the path is set just above

KEYS = {"openai": "sk-fake", "anthropic": "sk-ant-fake", "gemini": "AIza-fake", "bedrock": "bedrock-fake"}
BASES = {"openai": "/v1"}  # what the base URL that the vendor's SDK is given ends with


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ports.PORTS:
        parser.add_argument(f"--{name}-port", type=int, default=0)
        parser.add_argument(f"--{name}-key", action="append", help="a prefix of the keys to accept")
    parser.add_argument("--takes-reasoning", action="store_true", help="in messages, as DeepSeek does")
    parser.add_argument("--ready-file", help='receives {"openai_url", ..., "pid"}')
    return vars(parser.parse_args())


async def main():
    given = arguments()
    document, records, attempts = openai_document.Document(), [], faults.Attempts()
    ready = {"pid": os.getpid()}
    for name, make in ports.PORTS.items():
        port = make(given[f"{name}_key"] or [KEYS[name]], document)
        port.takes_reasoning = given["takes_reasoning"]
        server = provider.Provider(port, records, attempts)
        _, number = await provider.listen(server, given[f"{name}_port"])
        ready[f"{name}_url"] = f"http://127.0.0.1:{number}{BASES.get(name, '')}"
    if given["ready_file"]:
        path = pathlib.Path(given["ready_file"])
        path.with_suffix(".part").write_text(json.dumps(ready))
        path.with_suffix(".part").rename(path)
    print(json.dumps(ready), flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
