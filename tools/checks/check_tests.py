"""Every *_test.cpp on disk is compiled into a test binary that ctest runs, and every fuzzer has a corpus to replay.

What is compiled comes from the build tree's compile_commands.json, what runs from its CTestTestfile.cmake.
"""

import json
import re
from pathlib import Path

from source import ROOT, Finding, cpp_files


def compiled(commands):
    """{path relative to the root: the targets that compile it} out of compile_commands.json."""
    result = {}
    for entry in commands:
        target = re.search(r"(?:^|-o )CMakeFiles/([^/]+)\.dir/", entry.get("output") or entry["command"])
        try:
            path = str(Path(entry["file"]).relative_to(ROOT))
        except ValueError:
            continue
        if target:
            result.setdefault(path, set()).add(target.group(1))
    return result


def tests_run(ctest_file):
    """The names that ctest runs."""
    return set(re.findall(r"^add_test\(\[?=?\[?\"?([\w.-]+)", ctest_file, re.M))


def find(paths, targets, run, corpora):
    """Breaches, given the C++ files on disk, `compiled`, `tests_run` and the names under tests/corpus."""
    findings = []
    for path in paths:
        stem = path.rsplit("/", 1)[1].removesuffix(".cpp")
        owners = targets.get(path, set())
        if path.endswith("_test.cpp") or path.startswith("tests/sim/") and path.endswith(".cpp"):
            if not owners:
                findings.append(Finding(path, 0, "no test binary compiles it"))
            elif not owners & run:
                findings.append(Finding(path, 0, f"{', '.join(sorted(owners))} is not run by ctest"))
        elif path.endswith("_fuzz.cpp"):
            if not owners:
                findings.append(Finding(path, 0, "no fuzzer is built from it"))
            elif stem not in corpora:
                findings.append(Finding(path, 0, f"has no corpus: add tests/corpus/{stem} with a few small inputs"))
            elif f"{stem}_corpus" not in run:
                findings.append(Finding(path, 0, "its corpus is not replayed by ctest"))
    fuzzers = {path.rsplit("/", 1)[1].removesuffix(".cpp") for path in paths if path.endswith("_fuzz.cpp")}
    for name in sorted(corpora - fuzzers):
        findings.append(Finding(f"tests/corpus/{name}", 0, "is the corpus of no fuzzer"))
    return findings


def check(build_dir=None):
    if build_dir is None:
        return []
    build = Path(build_dir)
    commands = json.loads((build / "compile_commands.json").read_text())
    run = tests_run((build / "CTestTestfile.cmake").read_text())
    corpus = ROOT / "tests/corpus"
    corpora = {path.name for path in corpus.iterdir() if path.is_dir()} if corpus.is_dir() else set()
    return find(cpp_files(), compiled(commands), run, corpora)
