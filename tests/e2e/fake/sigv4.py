"""AWS Signature Version 4 as a server checks it: what was signed, and by whom.

Rules of the SDKs for Bedrock: each segment of the path as sent is percent-encoded once more, and the hash of
the body is the body's own, whether or not a header repeats it.
"""

import hashlib
import hmac
import re
import urllib.parse

SECRETS = {"AKIAFAKEUPSTREAM0001": "fake/upstream/secret"}
TOKEN = "fake-session-token"
HEADER = re.compile(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    return "&".join(
        f"{urllib.parse.quote(key, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
        for key, value in sorted(pairs)
    )


def canonical_request(request, names, body_hash):
    path, _, query = request.target.partition("?")
    lines = [f"{name}:{' '.join((request.header(name) or '').split())}" for name in names]
    return "\n".join(
        [
            request.method,
            "/".join(urllib.parse.quote(segment, safe="-_.~") for segment in path.split("/")),
            canonical_query(query),
            *lines,
            "",
            ";".join(names),
            body_hash,
        ]
    )


def sign(secret, scope, when, text):
    """The signature of a canonical request; `scope` is date, region, service, "aws4_request"."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    digest = hashlib.sha256(text.encode()).hexdigest()
    lines = f"AWS4-HMAC-SHA256\n{when}\n{'/'.join(scope)}\n{digest}"
    return hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()


def problem(request, secrets=None):
    """Why the signature of a request is refused, or None for a good one."""
    match = HEADER.fullmatch(request.header("authorization") or "")
    if not match:
        return "the authorization header is not of SigV4's form"
    key, *scope = match[1].split("/")
    secret = (secrets or SECRETS).get(key)
    if secret is None:
        return "The security token included in the request is invalid."
    names = match[2].split(";")
    when = request.header("x-amz-date") or ""
    if len(scope) != 4 or scope[2:] != ["bedrock", "aws4_request"] or not when.startswith(scope[0]):
        return f"the scope {scope} does not fit"
    if "host" not in names or "x-amz-date" not in names:
        return f"host and x-amz-date must be signed, not only {names}"
    token = request.header("x-amz-security-token")
    if token is not None and (token != TOKEN or "x-amz-security-token" not in names):
        return "the session token is not known, or not signed"
    actual = hashlib.sha256(request.body).hexdigest()
    if request.header("x-amz-content-sha256", actual) != actual:
        return "x-amz-content-sha256 is not of this body"
    wanted = sign(secret, scope, when, canonical_request(request, names, actual))
    if not hmac.compare_digest(wanted, match[3]):
        return "The request signature we calculated does not match the signature you provided."
    return None
