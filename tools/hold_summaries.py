#!/usr/bin/env python3
"""Copies stdin to stdout, but keeps the summaries of ctest, pytest, node --test and h2spec for the end.

usage: COMMAND | hold_summaries.py --hold FILE --last FILE
--hold gets the summary lines appended, --last the last line that was not blank.
"""

import argparse
import re
import sys

# From the first of these lines of ctest on, everything is summary.
CTEST = re.compile(r"^\d+% tests passed, \d+ tests failed out of \d+|^No tests were found")
# One line each.
SINGLE = re.compile(
    r"^=*\s?(\d+ (passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?)(, )?)+ in [\d.]+ ?m?s.*$"  # pytest
    r"|^=+ no tests ran in .*$"
    r"|^(ℹ|#) (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$"  # node --test
    r"|^\d+ tests, \d+ passed, \d+ skipped, \d+ failed$"  # h2spec
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hold", required=True)
    parser.add_argument("--last", required=True)
    arguments = parser.parse_args()
    in_ctest = False
    last = ""
    with open(arguments.hold, "a", encoding="utf-8") as hold:
        for line in sys.stdin:
            plain = COLOUR.sub("", line).strip("\n")
            in_ctest = in_ctest or bool(CTEST.match(plain))
            if in_ctest or SINGLE.match(plain):
                hold.write(plain + "\n")
                hold.flush()
            else:
                sys.stdout.write(line)
                sys.stdout.flush()
            last = plain if plain.strip() else last
    with open(arguments.last, "w", encoding="utf-8") as out:
        out.write(last + "\n")


if __name__ == "__main__":
    main()
