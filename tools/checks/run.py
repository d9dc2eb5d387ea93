#!/usr/bin/env python3
"""Runs the house rules that a program can check, and the tests that show each of them can fail.

usage: run.py [--build-dir DIR] [NAME...]     NAME: layers, lengths, banned, tests, paths, docs (all by default)
"""

import argparse
import sys
import unittest

import check_banned
import check_docs
import check_layers
import check_lengths
import check_paths
import check_tests

CHECKS = {
    "layers": check_layers,
    "lengths": check_lengths,
    "banned": check_banned,
    "tests": check_tests,
    "paths": check_paths,
    "docs": check_docs,
}


def main():
    parser = argparse.ArgumentParser(description="house rules that a program can check")
    parser.add_argument("--build-dir", help="a configured build tree; without it the check `tests` is left out")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(CHECKS)}; all by default")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(CHECKS)
    if unknown:
        parser.error(f"no check named {', '.join(sorted(unknown))}")

    failed = False
    for name in arguments.names or CHECKS:
        findings = CHECKS[name].check(arguments.build_dir)
        skipped = name == "tests" and not arguments.build_dir
        print(f"{name}: " + ("left out, no --build-dir" if skipped else f"{len(findings)} findings" if findings else "ok"))
        for finding in findings:
            print(f"  {finding}")
        failed = failed or bool(findings)

    suite = unittest.defaultTestLoader.loadTestsFromName("test_checks")
    result = unittest.TextTestRunner(stream=sys.stdout).run(suite)
    return 1 if failed or not result.wasSuccessful() else 0


if __name__ == "__main__":
    sys.exit(main())
