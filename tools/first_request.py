#!/usr/bin/env python3
"""Sends one chat request through a running Weir with curl and shows answer, usage, cost, timing and how to go on."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

TEXT = (
    "A weir is a low dam across a river. It raises the water upstream and lets the river flow over its top. "
    "Engineers build weirs to measure how much water passes and to keep its level steady. "
    "The oldest ones that still stand are over two thousand years old."
)
QUESTION = "Why do engineers build weirs?"
REQUEST = {"model": "weir/extract", "messages": [{"role": "user", "content": f"{TEXT}\n\nQuestion: {QUESTION}"}]}

GO_ON = """
Try it yourself:

  curl {url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{{"model": "weir/extract", "messages": [{{"role": "user", "content": "Summarise: ..."}}]}}'

  # Python, pip install openai
  from openai import OpenAI
  client = OpenAI(base_url="{url}/v1", api_key="none")
  print(client.chat.completions.create(model="weir/extract",
      messages=[{{"role": "user", "content": "Hello"}}]).choices[0].message.content)

  # Python, pip install anthropic
  from anthropic import Anthropic
  client = Anthropic(base_url="{url}", api_key="none")
  print(client.messages.create(model="weir/extract", max_tokens=200,
      messages=[{{"role": "user", "content": "Hello"}}]).content[0].text)

weir/extract is built in: it picks sentences out of the text it is given and needs no key. For other models put a
provider's usual key into the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...) and run `make run` again.

Weir answers at   {url}
Metrics and more  {admin_url}/metrics
Process {pid}, log build/run/weir.log; `make stop` ends it."""


def post_with_curl(url):
    """The status, the headers in lower case, the body and the seconds of one POST."""
    with tempfile.TemporaryDirectory() as folder:
        head, body = Path(folder, "head"), Path(folder, "body")
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "--max-time", "30", "-D", head, "-o", body, "-w", "%{http_code} %{time_total}",
             "-H", "content-type: application/json", "-d", json.dumps(REQUEST), f"{url}/v1/chat/completions"],
            capture_output=True, text=True,
        )
        if done.returncode != 0:
            sys.exit(f"curl: {done.stderr.strip()}")
        status, seconds = done.stdout.split()
        headers = dict(line.split(": ", 1) for line in head.read_text().splitlines() if ": " in line)
        return int(status), {name.lower(): value for name, value in headers.items()}, body.read_text(), float(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", required=True, help="the ready file of the running server")
    ready = json.loads(Path(parser.parse_args().ready).read_text())

    status, headers, body, seconds = post_with_curl(ready["url"])
    if status != 200:
        sys.exit(f"The request failed with status {status}: {body[:2000]}")
    *_, again = post_with_curl(ready["url"])
    answer = json.loads(body)
    usage = answer["usage"]
    timing = headers.get("server-timing", "not measured")
    print(f"\nAsked     {QUESTION} (with a text of four sentences)")
    print(f"Answer    {answer['choices'][0]['message']['content']}")
    print(f"Model     {answer['model']}")
    print(f"Usage     {usage['prompt_tokens']} tokens in, {usage['completion_tokens']} out")
    cost = headers.get("x-weir-cost-usd")
    print(f"Cost      {cost + ' USD' if cost else 'unknown'}")
    print(f"Timing    {seconds * 1000:.1f} ms seen by curl, the same again {again * 1000:.1f} ms; server: {timing}")
    print(GO_ON.format(**ready))


if __name__ == "__main__":
    main()
