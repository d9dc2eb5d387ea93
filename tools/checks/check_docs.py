"""What the documents name is there: linked files, files and folders in backquotes, and the targets of `make`."""

import re

from source import ROOT, Finding, line_of, read, tracked_files

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
FILE = re.compile(r"`((?:src|tools|tests|config|docs|cmake|bench|third_party|deploy|examples)/[\w./-]*[\w/])`")
MAKE = re.compile(r"`make ([a-z][a-z-]*)")
FENCED_MAKE = re.compile(r"^make ([a-z][a-z-]*)", re.M)


def make_targets(makefile):
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))


def find(path, text, exists, targets):
    """Breaches in one document; `exists(path)` tells of a path relative to the root."""
    folder = path.rsplit("/", 1)[0] + "/" if "/" in path else ""
    findings = []
    for match in LINK.finditer(text):
        if not exists(folder + match.group(1)):
            findings.append(Finding(path, line_of(text, match.start()), f"links to {match.group(1)}, which is not there"))
    for match in FILE.finditer(text):
        if not exists(match.group(1)):
            findings.append(Finding(path, line_of(text, match.start()), f"names {match.group(1)}, which is not there"))
    for pattern in (MAKE, FENCED_MAKE):
        for match in pattern.finditer(text):
            if match.group(1) not in targets:
                findings.append(Finding(path, line_of(text, match.start()), f"says make {match.group(1)}, which the Makefile lacks"))
    return findings


def check(build_dir=None):
    targets = make_targets(read("Makefile"))
    documents = [path for path in tracked_files() if path.endswith(".md") and not path.startswith("third_party/")]
    return [
        finding
        for path in documents
        for finding in find(path, read(path), lambda name: (ROOT / name).exists(), targets)
    ]
