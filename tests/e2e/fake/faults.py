"""Faults: what a provider does wrong, chosen by each request for itself.

A fault comes in the header `x-fake-fault` or after a `!` in the model name, since a gateway in between does
not forward that header: `fake-text~TEST!status=429;retry-after=1;times=2`. The part between `~` and `!` is
the id of the test: records are kept, and attempts counted, by it.

| word | what happens |
|---|---|
| status=N | the error status N in the dialect's own body |
| retry-after=S, retry-after-ms=MS, should-retry=B | headers beside it |
| context-length | the 400 that says the prompt does not fit; quota: the 429 that says the money is spent |
| html=N | status N with an HTML page, as from a proxy; empty-body: 200 without a byte |
| text-plain | the right JSON under the wrong content type |
| cut-before-head, cut-after-head, cut-after-events=N | the connection is closed there |
| stall-ms=MS | nothing is sent for so long; with stall-after-events=N the pause comes there |
| error-event-after=N | the dialect's error event after N events, then the end |
| no-done, no-finish, no-usage | the stream lacks its last mark, its finish reason, its usage |
| bad-json-event | the third event is no JSON; bad-crc: the third frame has a wrong CRC |
| comments, crlf | keep-alive comments between events; CRLF line ends |
| dribble, chunk=N | one byte, or N bytes, in each write |
| gzip | the answer is compressed |
| times=N | only the first N attempts of the test meet the fault |
"""

import re
from collections import Counter

WORDS = {
    "status",
    "retry-after",
    "retry-after-ms",
    "should-retry",
    "context-length",
    "quota",
    "html",
    "empty-body",
    "text-plain",
    "cut-before-head",
    "cut-after-head",
    "cut-after-events",
    "stall-ms",
    "stall-after-events",
    "error-event-after",
    "no-done",
    "no-finish",
    "no-usage",
    "bad-json-event",
    "bad-crc",
    "comments",
    "crlf",
    "dribble",
    "chunk",
    "gzip",
    "times",
}


class Faults(dict):
    """The words of one request; a word without a value has the value True."""

    def number(self, word, default=None):
        return int(self[word]) if word in self else default


def split_model(model):
    """`name~id!faults` in its three parts; a part that is not there is the empty string."""
    match = re.fullmatch(r"([^~!]*)(?:~([^!]*))?(?:!(.*))?", model, re.S)
    return tuple(part or "" for part in match.groups())


def parse(text):
    """The faults in `a;b=c`. Raises ValueError for a word that is not in the table: a test's typing error."""
    faults = Faults()
    for item in filter(None, text.split(";")):
        word, _, value = item.partition("=")
        if word not in WORDS:
            raise ValueError(f"unknown fault {word!r}")
        faults[word] = value or True
    return faults


class Attempts:
    """Counts the attempts of each test and model, for `times`."""

    def __init__(self):
        self.seen = Counter()

    def apply(self, key, faults):
        """The faults this attempt meets: none once the test has had `times` attempts."""
        self.seen[key] += 1
        if "times" in faults and self.seen[key] > faults.number("times"):
            return Faults()
        return faults
