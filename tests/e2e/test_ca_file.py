"""A provider behind an authority of its own: `ca_file` says whom to trust there, and nobody else is."""

import http.server
import json
import ssl
import threading

import httpx
import pytest
import stack as stacks
from certificate import self_signed

pytestmark = pytest.mark.weir

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "trusted"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """The base URL of a provider with a certificate that no system trusts, and that certificate's file."""
    folder = tmp_path_factory.mktemp("ca")
    certificate, key = self_signed(folder, "127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/v1", certificate
    server.shutdown()
    thread.join()
    server.server_close()


def ask(tmp_path, base_url, **more):
    """What a Weir of its own answers to a call of the one provider."""
    config = tmp_path / "weir.yaml"
    provider = {"name": "ours", "kind": "vllm", "base_url": base_url, **more}
    config.write_text(json.dumps({"providers": [provider]}))
    command = [stacks.weir_binary(), "serve", "--config", config, "--data-dir", tmp_path / "data"]
    command += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    weir = stacks.Process("weir", tmp_path, command)
    try:
        body = {"model": "ours/m", "messages": [{"role": "user", "content": "hello"}]}
        return httpx.post(f"{weir.ready['url']}/v1/chat/completions", json=body, timeout=30)
    finally:
        assert weir.stop() == 0, weir.log_tail()


def test_a_provider_is_trusted_by_its_ca_file(tmp_path, provider):
    base_url, certificate = provider
    answer = ask(tmp_path, base_url, ca_file=str(certificate))
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "trusted"


def test_without_its_ca_file_it_is_not(tmp_path, provider):
    answer = ask(tmp_path, provider[0])
    assert answer.status_code == 502, answer.text
    assert answer.json()["error"]["message"]
