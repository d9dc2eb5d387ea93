"""Function <= 70 lines, file <= 600, header <= 250, line <= 110 columns: what a reader can hold at once.

Ratcheted: lengths_allowed.txt lists today's exceptions with their sizes. A size that grows fails, and so does one
that shrank without its row, so the list only ever gets shorter. `python3 tools/checks/check_lengths.py --update`
lowers the rows that can be lowered and removes those that are no longer needed; it never raises or adds one.
"""

import re
import sys
from pathlib import Path

from source import Finding, cpp_files, functions, read

FUNCTION_MAX = 70
FILE_MAX = 600
HEADER_MAX = 250
LINE_MAX = 110
# Test code: a header of helpers is read like a source file, and a line may hold a protocol's text in one piece.
TEST_CODE = re.compile(r"_test\.cpp$|_bench\.cpp$|_test_\w+\.h$|/test_\w+\.h$|^tests/")
LIMITS = {"function": FUNCTION_MAX, "file": FILE_MAX, "header": HEADER_MAX, "line": LINE_MAX}
ALLOWED = Path(__file__).with_name("lengths_allowed.txt")


def measure(path, text):
    """What is too long in one file: {(kind, path, name): (size, line)}."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    over = {}
    is_test = TEST_CODE.search(path) is not None
    kind = "header" if path.endswith(".h") and not is_test else "file"
    if len(lines) > LIMITS[kind]:
        over[kind, path, "-"] = (len(lines), 0)
    wide = [
        (len(line), number)
        for number, line in enumerate(lines, 1)
        if len(line) > LINE_MAX and not (is_test and 'R"' in line)
    ]
    if wide:
        over["line", path, "-"] = max(wide)
    for function in functions(text):
        key = ("function", path, function.name)
        if function.lines > FUNCTION_MAX and function.lines > over.get(key, (0, 0))[0]:
            over[key] = (function.lines, function.first_line)
    return over


def parse_allowed(text):
    allowed = {}
    for row in text.splitlines():
        if row.strip() and not row.startswith("#"):
            kind, path, name, size = row.split()
            allowed[kind, path, name] = int(size)
    return allowed


REMEDIES = {
    "function": "give its steps names of their own",
    "file": "it is two ideas",
    "header": "it is two ideas",
    "line": "wrap it (make fmt)",
}


def compare(over, allowed):
    findings = []
    for (kind, path, name), (size, line) in sorted(over.items()):
        bound = allowed.get((kind, path, name), LIMITS[kind])
        label = f"{kind} {name}" if name != "-" else kind
        if size > bound:
            findings.append(Finding(path, line, f"{label} has {size}, at most {bound}: {REMEDIES[kind]}"))
        elif size < bound:
            findings.append(Finding(path, line, f"{label} shrank to {size}: run check_lengths.py --update"))
    for kind, path, name in sorted(set(allowed) - set(over)):
        findings.append(Finding(path, 0, f"{kind} {name} is fine now: run check_lengths.py --update"))
    return findings


def lowered(over, allowed):
    """The rows of the list after a ratchet: never higher, never more."""
    return {key: min(size, over[key][0]) for key, size in allowed.items() if key in over}


def measure_all():
    over = {}
    for path in cpp_files():
        over.update(measure(path, read(path)))
    return over


def check(build_dir=None):
    return compare(measure_all(), parse_allowed(ALLOWED.read_text()))


def update():
    text = ALLOWED.read_text()
    rows = lowered(measure_all(), parse_allowed(text))
    head = [line for line in text.splitlines() if line.startswith("#")]
    body = [f"{kind} {path} {name} {size}" for (kind, path, name), size in sorted(rows.items())]
    ALLOWED.write_text("\n".join(head + body) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("usage: check_lengths.py --update   (tools/checks/run.py runs the check)")
    update()
