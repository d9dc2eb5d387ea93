"""Malformed requests: each gets its dialect's own error body, naming the field, and harms nobody.

Only Weir is tested here; the fake provider must never see any of these.
"""

import json
import re
import socket
import urllib.parse

import pytest
import stack as stacks

pytestmark = pytest.mark.weir

PATHS = {"oai": "/v1/chat/completions", "ant": "/v1/messages"}
GOOD = {"model": "MODEL", "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]}


class Reply:
    """The first answer on a connection: status, headers in lower case, body, and what else came after it."""

    def __init__(self, data):
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {
            name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])
        }
        length = int(self.headers.get("content-length", len(rest)))
        self.body, self.rest = rest[:length], rest[length:]

    def json(self):
        return json.loads(self.body)


def send_raw(stack, data, seconds=10):
    """Sends bytes as they are and reads until the server closes or the first answer is whole."""
    parts = urllib.parse.urlsplit(stack.weir.ready["url"])
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as connection:
        try:
            connection.sendall(data)
        except ConnectionError:
            pass  # the server may answer and close before it read everything
        received = b""
        while part := read_part(connection):
            received += part
            if b"\r\n\r\n" in received:
                reply = Reply(received)
                if len(reply.body) >= int(reply.headers.get("content-length", 1 << 60)):
                    break
        assert received, "closed without an answer"
        return Reply(received)


def read_part(connection):
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def head(stack, method, path, dialect="oai", **headers):
    netloc = urllib.parse.urlsplit(stack.weir.ready["url"]).netloc
    fields = {
        "host": netloc,
        "content-type": "application/json",
        "authorization": f"Bearer {stacks.CLIENT_KEY}",
    }
    if dialect == "ant":
        fields["anthropic-version"] = "2023-06-01"
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items() if value is not None),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def post(stack, dialect, body, **headers):
    return send_raw(
        stack, head(stack, "POST", PATHS[dialect], dialect, content_length=len(body), **headers) + body
    )


def assert_error(reply, dialect, status, *said):
    """The dialect's error body with this status, in whose text each regular expression of `said` is found."""
    assert reply.status == status, reply.body
    assert reply.headers["content-type"].startswith("application/json")
    error = reply.json()["error"]
    assert error["message"]
    if dialect == "oai":
        assert set(error) >= {"message", "type", "param", "code"}
    else:
        assert reply.json()["type"] == "error" and error["type"] and reply.json()["request_id"]
    text = f"{error['message']} {error.get('param')}"
    for pattern in said:
        assert re.search(pattern, text, re.I), (pattern, text)


def body_with(dialect, **changes):
    value = {**GOOD, "model": f"{dialect}/fake-text", **changes}
    return json.dumps({name: item for name, item in value.items() if item is not ...}).encode()


both = pytest.mark.parametrize("dialect", ["oai", "ant"])


@both
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"model":"x",}',
        b"nonsense",
        b"{} x",
        b'{"model":"x" "messages":[]}',
        b"{'model':1}",
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":"\x01"}',
        b'{"a":"\\x"}',
        b"\xef\xbb\xbf{}",
        b'{"model":"x',
        b"[1,2",
        b"\x00",
    ],
)
def test_what_is_no_json_is_a_bad_request(stack, dialect, body):
    assert_error(post(stack, dialect, body), dialect, 400)


@both
@pytest.mark.parametrize("body", [b"[]", b'"x"', b"7", b"null"])
def test_json_that_is_no_object_is_a_bad_request(stack, dialect, body):
    assert_error(post(stack, dialect, body), dialect, 400, "object")


@both
def test_an_absent_body_is_a_bad_request(stack, dialect):
    assert_error(post(stack, dialect, b""), dialect, 400, "body|empty|json")
    assert_error(
        send_raw(stack, head(stack, "POST", PATHS[dialect], dialect)), dialect, 400, "body|empty|json"
    )


@both
@pytest.mark.parametrize(
    "body, key",
    [
        (
            b'{"model":"DIALECT/fake-text","model":"y","max_tokens":5,"messages":[{"role":"user","content":"x"}]}',
            "model",
        ),
        (
            b'{"model":"DIALECT/fake-text","max_tokens":5,"messages":[{"role":"user","content":"x","role":"user"}]}',
            "role",
        ),
        (
            b'{"model":"DIALECT/fake-text","max_tokens":5,"messages":[{"role":"user","content":"x"}],'
            b'"x_more":{"deep":[{"same":1,"s\\u0061me":2}]}}',
            "same",
        ),
    ],
)
def test_a_name_given_twice_is_a_bad_request(stack, dialect, body, key):
    reply = post(stack, dialect, body.replace(b"DIALECT", dialect.encode()))
    assert_error(reply, dialect, 400, "duplicate|twice", key)


@both
@pytest.mark.parametrize("depth", [2000, 200000])
def test_too_deep_is_a_bad_request(stack, dialect, depth):
    body = body_with(dialect)[:-1] + b',"x_deep":' + b"[" * depth + b"]" * depth + b"}"
    assert_error(post(stack, dialect, body), dialect, 400, "deep|nest|depth")


@both
@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_bad_utf8_is_a_bad_request(stack, dialect, bad):
    assert_error(
        post(stack, dialect, body_with(dialect).replace(b'"x"', b'"x' + bad + b'"')), dialect, 400, "utf-?8"
    )


@both
@pytest.mark.parametrize(
    "changes, path",
    [
        ({"model": ...}, "model"),
        ({"model": 7}, "model"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"messages": ...}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, r"messages\W+0"),
        ({"messages": [{"content": "x"}]}, r"messages\W+0\W+role"),
        ({"messages": [{"role": 1, "content": "x"}]}, r"messages\W+0\W+role"),
        # The vendor's own word on a role that only it may know: the client's bytes have passed.
        ({"messages": [{"role": "alien", "content": "x"}]}, r"messages\W+0\W.*role"),
        ({"messages": [{"role": "user", "content": 5}]}, r"messages\W+0\W+content"),
        ({"messages": [{"role": "user", "content": [7]}]}, r"messages\W+0\W+content\W+0"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            r"messages\W+0\W+content\W+0\W+text",
        ),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, r"messages\W+0\W+content\W+0\W+type"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"tools": {}}, "tools"),
        ({"tools": [{}]}, r"tools\W+0"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_by_its_path(stack, dialect, changes, path):
    assert_error(post(stack, dialect, body_with(dialect, **changes)), dialect, 400, path)


@pytest.mark.parametrize(
    "dialect, changes, path",
    [
        ("oai", {"stop": 7}, "stop"),
        ("oai", {"n": 0}, r"\bn\b"),
        ("oai", {"response_format": "json"}, "response_format"),
        ("oai", {"tool_choice": 1}, "tool_choice"),
        ("oai", {"stream_options": []}, "stream_options"),
        (
            "oai",
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 5}}]}]},
            r"image_url\W+url",
        ),
        ("ant", {"max_tokens": ...}, "max_tokens"),
        ("ant", {"system": 5}, "system"),
        ("ant", {"stop_sequences": "x"}, "stop_sequences"),
        ("ant", {"tool_choice": "auto"}, "tool_choice"),
        ("ant", {"thinking": True}, "thinking"),
        ("ant", {"metadata": "x"}, "metadata"),
        (
            "ant",
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            r"content\W+0\W+tool_use_id",
        ),
        (
            "ant",
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image",
                                "source": {"type": "base64", "media_type": "image/png", "data": 5},
                            }
                        ],
                    }
                ]
            },
            r"content\W+0\W+source",
        ),
    ],
    ids=str,
)
def test_a_wrong_field_of_one_dialect_is_named_by_its_path(stack, dialect, changes, path):
    other = "ant" if dialect == "oai" else "oai"
    for target in (dialect, other):
        body = body_with(dialect, **{**changes, "model": f"{target}/fake-text"})
        assert_error(post(stack, dialect, body), dialect, 400, path)


@both
def test_a_limit_of_nothing_is_refused_for_the_vendor_that_does_not_take_it(stack, dialect):
    body = body_with(dialect, model="ant/fake-text", max_tokens=0)
    assert_error(post(stack, dialect, body), dialect, 400, "max_tokens")


def test_a_picture_that_is_no_base64_is_refused_where_it_must_be_carried_over(stack):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}
    body = body_with("ant", messages=[{"role": "user", "content": [picture]}])
    assert_error(post(stack, "oai", body), "oai", 400, r"content\W+0\W+image_url")


@both
def test_a_content_encoding_is_not_supported(stack, dialect):
    assert_error(post(stack, dialect, body_with(dialect), content_encoding="gzip"), dialect, 415, "encoding")


@both
def test_another_content_type_is_refused(stack, dialect):
    reply = post(stack, dialect, body_with(dialect), content_type="text/plain")
    assert_error(reply, dialect, reply.status)
    assert reply.status in (403, 415)


@both
def test_a_body_over_the_limit_is_refused_at_once(stack, dialect):
    data = head(stack, "POST", PATHS[dialect], dialect, content_length=10 << 30)
    assert_error(send_raw(stack, data + b"{"), dialect, 413)


@both
def test_a_chunked_body_over_the_limit_is_refused(stack, dialect):
    data = head(stack, "POST", PATHS[dialect], dialect, transfer_encoding="chunked")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    assert_error(send_raw(stack, data + chunk * 66, seconds=30), dialect, 413)


@both
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_told_the_right_one(stack, dialect, method):
    reply = send_raw(stack, head(stack, method, PATHS[dialect], dialect))
    assert_error(reply, dialect, 405)
    assert "POST" in reply.headers["allow"]


@both
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/nonsense",
        "/v1/chat/completions/",
        "/v1/messages/x",
        "/%2e%2e/etc",
        "/v2/chat/completions",
        "/v1//chat/completions",
    ],
)
def test_an_unknown_path_is_not_found(stack, dialect, path):
    if path.startswith("/v1/messages/"):
        dialect = "ant"  # below a path of one vendor the form is that vendor's
    assert_error(send_raw(stack, head(stack, "POST", path, dialect, content_length=2) + b"{}"), dialect, 404)


@both
def test_an_unknown_model_is_not_found_and_the_nearest_named(stack, dialect):
    assert_error(
        post(stack, dialect, body_with(dialect, model="oai-plain-modle")), dialect, 404, "oai-plain-model"
    )


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"host": "127.0.0.1.evil.example:80"}],
    ids=str,
)
@both
def test_a_web_page_can_not_spend_the_owners_keys(stack, dialect, headers):
    assert_error(post(stack, dialect, body_with(dialect), **headers), dialect, 403)


def test_heads_that_are_no_http_are_refused(stack):
    netloc = urllib.parse.urlsplit(stack.weir.ready["url"]).netloc
    good = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {netloc}\r\n".encode()
    for bad in [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        good + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        good + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        good + b"content-length: -1\r\n\r\n",
        good + b"bad header\r\n\r\n",
        good + b" folded: x\r\n\r\n",
        good + b"transfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    ]:
        reply = send_raw(stack, bad)
        assert 400 <= reply.status <= 505 and reply.status != 500, (bad, reply.status)


@pytest.mark.parametrize(
    "data",
    [b"x-big: " + b"a" * (1 << 20), b"\r\n".join(b"x-%d: 1" % i for i in range(5000))],
    ids=["large", "many"],
)
def test_too_large_a_head_is_refused(stack, data):
    netloc = urllib.parse.urlsplit(stack.weir.ready["url"]).netloc
    reply = send_raw(stack, f"GET /v1/models HTTP/1.1\r\nhost: {netloc}\r\n".encode() + data + b"\r\n\r\n")
    assert reply.status == 431


def test_well_formed_but_unusual_requests_are_served(stack, case):
    body = body_with("oai", model=case.model("oai", "fake-text"))
    chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    chunked = head(stack, "POST", PATHS["oai"], transfer_encoding="chunked") + chunks
    assert send_raw(stack, chunked).status == 200
    counted = head(stack, "POST", PATHS["oai"], content_length=len(body)) + body
    first = send_raw(stack, counted)
    assert first.status == 200
    pipelined = head(stack, "GET", "/healthz") + head(stack, "GET", "/healthz", connection="close")
    parts = urllib.parse.urlsplit(stack.weir.ready["url"])
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(pipelined)
        received = b""
        while part := read_part(connection):
            received += part
    assert received.count(b"HTTP/1.1 200") == 2


def test_a_client_that_waits_for_100_gets_it(stack, case):
    body = body_with("oai", model=case.model("oai", "fake-text"))
    parts = urllib.parse.urlsplit(stack.weir.ready["url"])
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(head(stack, "POST", PATHS["oai"], content_length=len(body), expect="100-continue"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_half_a_request_ends_quietly_when_its_client_leaves(stack, case):
    parts = urllib.parse.urlsplit(stack.weir.ready["url"])
    data = head(stack, "POST", PATHS["oai"], content_length=100) + b'{"model":'
    for cut in range(1, len(data), 7):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(data[:cut])
    assert post(stack, "oai", body_with("oai", model=case.model("oai", "fake-text"))).status == 200
