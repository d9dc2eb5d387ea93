"""Signatures of thinking, as vendors issue them: opaque, bound to a text, checked when they come back.

A family is who can check them: Anthropic's are good on Bedrock too, Google's and OpenAI's nowhere else. A
signature from elsewhere, of another text, or with one character changed is not genuine.
"""

import base64
import binascii
import hashlib
import hmac

CLAUDE = "claude"
GOOGLE = "google"
OPENAI = "openai"
# What Google lets a client write in place of a signature that it never had; documented as a last resort.
GOOGLE_DUMMIES = {"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}
KEY = b"the fake provider's own"


def mac(family, tag, text):
    return hmac.new(KEY, f"{family}\0{tag}\0{text}".encode(), hashlib.sha256).hexdigest()[:40]


def issue(family, text, tag):
    """A signature of `text`, different for each `tag`."""
    return base64.b64encode(f"{family}:{tag}:{mac(family, tag, text)}".encode()).decode()


def is_genuine(family, text, signature):
    try:
        given = base64.b64decode(signature, validate=True).decode().split(":")
    except (binascii.Error, UnicodeDecodeError, TypeError):
        return False
    return len(given) == 3 and given[0] == family and hmac.compare_digest(given[2], mac(*given[:2], text))
