#!/usr/bin/env python3
"""Sends one chat request through a running Weir with curl and shows answer, usage, cost, timing and how to go on.

Where Weir asks for a key, that of WEIR_API_KEY is sent; without one it says so, and the server runs on.
"""

import argparse
import json
import os
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

EXAMPLE = "What is a weir? A weir is a low dam across a river. It raises the water upstream."

GO_ON = """
Try it yourself:

  curl{insecure} {url}/v1/chat/completions -H 'content-type: application/json'{key_header} \\
    -d '{{"model": "weir/extract", "messages": [{{"role": "user", "content": "{example}"}}]}}'

  # Python, pip install openai
  {imports}from openai import OpenAI
  client = OpenAI(base_url="{url}/v1", api_key={key})
  print(client.chat.completions.create(model="weir/extract",
      messages=[{{"role": "user", "content": "{example}"}}]).choices[0].message.content)

  # Python, pip install anthropic
  {imports}from anthropic import Anthropic
  client = Anthropic(base_url="{url}", api_key={key})
  print(client.messages.create(model="weir/extract", max_tokens=200,
      messages=[{{"role": "user", "content": "{example}"}}]).content[0].text)
{trust}
weir/extract is built in: it picks sentences out of the text it is given and needs no provider's key. For other models
put a provider's usual key into the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...) and run `make run` again.

Weir answers at   {url}
Metrics and more  {admin_url}/metrics
Process {pid}, log build/run/weir.log; `make stop` ends it."""

TRUST = """
The Python clients must trust the certificate and find the host's name in it: SSL_CERT_FILE=its-authority.pem, and
that name instead of 127.0.0.1. curl is told here to do without (--insecure).
"""


def post_with_curl(url, key):
    """The status, the headers in lower case, the body and the seconds of one POST."""
    with tempfile.TemporaryDirectory() as folder:
        head, body, sent = Path(folder, "head"), Path(folder, "body"), Path(folder, "sent")
        # In a file, since other users see the arguments of a process.
        sent.write_text("content-type: application/json\n" + (f"authorization: Bearer {key}\n" if key else ""))
        command = ["curl", "-sS", "--noproxy", "*", "--max-time", "30", "-D", head, "-o", body]
        # Its certificate is for the name that clients know it by, and this request does not leave the machine.
        command += ["--insecure"] if url.startswith("https://127.0.0.1:") else []
        command += ["-w", "%{http_code} %{time_total}", "-H", f"@{sent}", "-d", json.dumps(REQUEST)]
        done = subprocess.run([*command, f"{url}/v1/chat/completions"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"curl: {done.stderr.strip()}")
        status, seconds = done.stdout.split()
        headers = dict(line.split(": ", 1) for line in head.read_text().splitlines() if ": " in line)
        return int(status), {name.lower(): value for name, value in headers.items()}, body.read_text(), float(seconds)


def print_answer(headers, body, seconds, again):
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


def print_how_to_go_on(ready, has_keys):
    is_tls = ready["url"].startswith("https:")
    print(
        GO_ON.format(
            **ready,
            example=EXAMPLE,
            insecure=" --insecure" if is_tls else "",
            key_header=' -H "authorization: Bearer $WEIR_API_KEY"' if has_keys else "",
            key='os.environ["WEIR_API_KEY"]' if has_keys else '"none"',
            imports="import os\n  " if has_keys else "",
            trust=TRUST if is_tls else "",
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", required=True, help="the ready file of the running server")
    ready = json.loads(Path(parser.parse_args().ready).read_text())

    status, headers, body, seconds = post_with_curl(ready["url"], "")
    has_keys = status == 401
    key = os.environ.get("WEIR_API_KEY", "") if has_keys else ""
    if key:
        status, headers, body, seconds = post_with_curl(ready["url"], key)
    if status == 200:
        *_, again = post_with_curl(ready["url"], key)
        print_answer(headers, body, seconds, again)
    elif has_keys and not key:
        print("\nWeir runs. It takes requests with one of the configured keys only, and WEIR_API_KEY is not set, so")
        print("none was sent. With it (`export WEIR_API_KEY=wk_...`) `make run` sends one, and so do these:")
    else:
        of_key = " with the key of WEIR_API_KEY" if key else ""
        sys.exit(f"The request failed{of_key} with status {status}: {body[:2000]}")
    print_how_to_go_on(ready, has_keys)


if __name__ == "__main__":
    main()
