#!/usr/bin/env python3
"""Reads h2spec's JUnit report: every failed case must stand in tests/conformance/h2spec_known.txt.

usage: h2spec_verdict.py REPORT
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

KNOWN = Path(__file__).resolve().parents[1] / "tests/conformance/h2spec_known.txt"


def main():
    rows = [line for line in KNOWN.read_text().splitlines() if line.strip() and not line.startswith("#")]
    known = {tuple(part.strip() for part in row.split("|", 1)) for row in rows}
    cases = list(ElementTree.parse(sys.argv[1]).getroot().iter("testcase"))
    if not cases:
        sys.exit("h2spec reported no cases")
    failed = {
        (case.get("package"), case.get("classname"))
        for case in cases
        if case.find("error") is not None or case.find("failure") is not None
    }
    for section, title in sorted(failed - known):
        print(f"FAILED {section}: {title}")
    print(f"{len(cases)} cases, {len(failed & known)} failed as known, {len(failed - known)} failed otherwise")
    return 1 if failed - known else 0


if __name__ == "__main__":
    sys.exit(main())
