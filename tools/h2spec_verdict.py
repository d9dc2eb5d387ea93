#!/usr/bin/env python3
"""Reads h2spec's JUnit report: every failed case must stand in tests/conformance/h2spec_known.txt.

usage: h2spec_verdict.py REPORT
"""

import html
import re
import sys
from pathlib import Path

# By pattern: h2spec copies bytes that XML does not allow into its messages.
CASE = re.compile(r'<testcase package="([^"]*)" classname="([^"]*)"')
KNOWN = Path(__file__).resolve().parents[1] / "tests/conformance/h2spec_known.txt"


def main():
    rows = [line for line in KNOWN.read_text().splitlines() if line.strip() and not line.startswith("#")]
    known = {tuple(part.strip() for part in row.split("|", 1)) for row in rows}
    report = Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace")
    cases = [(match.group(1), html.unescape(match.group(2)), match.start()) for match in CASE.finditer(report)]
    if not cases:
        sys.exit("h2spec reported no cases")
    ends = [start for _, _, start in cases[1:]] + [len(report)]
    failed = {
        (section, title)
        for (section, title, start), end in zip(cases, ends)
        if re.search(r"<(error|failure)\b", report[start:end])
    }
    for section, title in sorted(failed - known):
        print(f"FAILED {section}: {title}")
    print(f"{len(cases)} cases, {len(failed & known)} failed as known, {len(failed - known)} failed otherwise")
    return 1 if failed - known else 0


if __name__ == "__main__":
    sys.exit(main())
