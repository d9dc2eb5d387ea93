"""No tracked file names a path of one machine or the host of a package registry or mirror.

A clone must build anywhere, behind any mirror: where packages come from is the machine's configuration, not ours.
"""

import re

from source import Finding, read, tracked_files

# Written in pieces so that this file does not find itself.
HOSTS = [
    r"deb\." + r"debian\.org", r"security\." + r"debian\.org", r"snapshot\." + r"debian\.org",
    r"registry\." + r"npmjs\.org", r"registry\." + r"yarnpkg\.com", r"pypi\." + r"org", r"files\." + r"pythonhosted\.org",
    r"proxy\." + r"golang\.org", r"sum\." + r"golang\.org", r"crates\." + r"io\b", r"apt\." + r"llvm\.org", r"deb\." + r"nodesource\.com",
]
PATHS = [r"/" + r"work/(main|shared)", r"/" + r"root/", r"/" + r"home/(?!weir\b|user\b)\w+", r"/" + r"tmp/w/", r"/" + r"Users/\w+"]
PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern in HOSTS + [rf"(?<![\w/.]){path}" for path in PATHS]))

# Texts of others, kept as they came.
SKIPPED = re.compile(r"^third_party/|^tests/corpus/")


def find(path, text):
    return [
        Finding(path, number, f"names {match.group(0)}: leave it to the machine's own configuration")
        for number, line in enumerate(text.split("\n"), 1)
        for match in PATTERN.finditer(line)
    ]


def check(build_dir=None):
    findings = []
    for path in tracked_files():
        if not SKIPPED.search(path):
            findings += find(path, read(path))
    return findings
