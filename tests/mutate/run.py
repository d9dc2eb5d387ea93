#!/usr/bin/env python3
"""`make mutate`: do the tests of the codecs notice when a codec is wrong?

usage: run.py [--count 600] [--seed 1] [--only NUMBER]

Makes mutants of src/codec in a copy of the tree (tests/mutate/mutants.py), compiles them all at once, and runs
the tests once with each alive: first the unit tests, then the recordings and the matrix of dialects. Who passes
all has survived. Prints what survived and its reason from survivors.txt; fails when fewer than 90 % were killed
or a survivor has no reason.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

import mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "mutate"
TREE, BUILD = FOLDER / "tree", FOLDER / "build"
SURVIVORS = ROOT / "tests" / "mutate" / "survivors.txt"
KILLED_MIN = 0.9
SWAP_SHARE = 0.2  # of the mutants, while there are that many
REPLAYS = "*Replay*"


def codec_files():
    for path in sorted((ROOT / "src" / "codec").glob("*.cpp")):
        if not path.name.endswith(("_test.cpp", "_fuzz.cpp", "_bench.cpp")):
            yield path


def choose(sources, without_tables, count, seed):
    """[(file, Mutant, site)], the same for the same sources and seed."""
    all_sites = {"delete": [], "swap": []}
    for file, source in sources.items():
        for site in mutants.sites(file, source, file not in without_tables):
            all_sites[site[0]].append((file, site))
    dice = random.Random(seed)
    swaps = min(len(all_sites["swap"]), int(count * SWAP_SHARE))
    picked = dice.sample(all_sites["swap"], swaps)
    picked += dice.sample(all_sites["delete"], min(len(all_sites["delete"]), count - swaps))
    return [
        (file, mutants.Mutant(number, file, site[1], site[0], site[2]), site)
        for number, (file, site) in enumerate(picked)
    ]


def write_tree(sources, chosen):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("src", "cmake", "tests/conformance", "third_party", "config", "bench", "tools/checks"):
        if (ROOT / name).exists():
            subprocess.run(
                ["cp", "-a", "-u", "--no-target-directory", str(ROOT / name), str(make_parent(TREE / name))],
                check=True,
            )
    shutil.copy2(ROOT / "CMakeLists.txt", TREE)
    put(TREE / "src" / "base" / "mutant.h", mutants.HEADER)
    by_file = {}
    for file, mutant, site in chosen:
        by_file.setdefault(file, []).append((mutant.number, site))
    for file, source in sources.items():
        put(TREE / file, mutants.write(source, by_file.get(file, [])))


def make_parent(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def put(path, text):
    """Written only when it differs: the build looks at times."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def build():
    """Nothing, or the files that did not compile."""
    if not (BUILD / "build.ninja").exists():
        subprocess.run(
            [
                *("cmake", "-G", "Ninja", "-S", str(TREE), "-B", str(BUILD), "-DCMAKE_BUILD_TYPE=Release"),
                *("-DWEIR_FLAVOUR=release", "-DCMAKE_C_COMPILER=clang-19", "-DCMAKE_CXX_COMPILER=clang++-19"),
                *("-DCMAKE_CXX_FLAGS=-Wno-error -w",),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    done = subprocess.run(
        ["ninja", "-C", str(BUILD), "-k", "0", "codec_test", "weir_conformance"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == 0:
        return set()
    failed = set(re.findall(r"(src/codec/\w+\.cpp):\d+:\d+: (?:fatal )?error", done.stdout))
    if not failed:
        sys.exit(done.stdout[-4000:])
    return failed


def commands():
    test = str(BUILD / "codec_test")
    yield [test, "--gtest_brief=1", "--gtest_fail_fast", f"--gtest_filter=-{REPLAYS}"]
    yield [test, "--gtest_brief=1", "--gtest_fail_fast", f"--gtest_filter={REPLAYS}"]
    yield [str(BUILD / "weir_conformance"), "tests/conformance/refusals.txt"]


def passes(command, limit, number):
    environment = {**os.environ, mutants.ENVIRONMENT: str(number)}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return False  # a loop without end is noticed too
    return done.returncode == 0


def time_limits():
    """Each command with four times what it takes, and a second, when no mutant is alive."""
    limited = []
    for command in commands():
        started = time.monotonic()
        if not passes(command, 600, -1):
            sys.exit(f"without any mutant this fails: {' '.join(command)}")
        limited.append((command, 4 * (time.monotonic() - started) + 1))
    return limited


def reasons():
    """What survivors.txt says: the mutant's key to its reason, each on a line, the reason indented below."""
    found, key = {}, None
    for line in SURVIVORS.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("    "):
            found[key] = (found.get(key, "") + " " + line.strip()).strip()
        else:
            key = line.strip()
    return found


def report(chosen, survived, took):
    known = reasons()
    killed = len(chosen) - len(survived)
    unexplained = 0
    for mutant in survived:
        reason = known.get(mutant.key())
        unexplained += reason is None
        print(f"{mutant.file}:{mutant.line}: survived ({mutant.kind}, {mutant.number}): {mutant.text}")
        print(f"    {reason or 'NO REASON in tests/mutate/survivors.txt'}")
    kinds = {kind: sum(mutant.kind == kind for _, mutant, _ in chosen) for kind in ("delete", "swap")}
    print(
        f"{len(chosen)} mutants ({kinds['delete']} statements left out, {kinds['swap']} rows swapped): "
        f"{killed} killed, {100 * killed / len(chosen):.1f} %; {len(survived)} survived, "
        f"{unexplained} without a reason; {took:.0f} s"
    )
    return killed >= KILLED_MIN * len(chosen) and unexplained == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one mutant: shows which tests notice it")
    asked = parser.parse_args()
    started = time.monotonic()
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in codec_files()}
    without_tables = set()
    while True:
        chosen = choose(sources, without_tables, asked.count, asked.seed)
        write_tree(sources, chosen)
        failed = build()
        if not failed:
            break
        if failed <= without_tables:
            sys.exit(f"these do not compile with mutants of statements: {sorted(failed)}")
        print(f"tables used at compile time, left alone: {sorted(failed - without_tables)}", flush=True)
        without_tables |= failed
    limited = time_limits()
    print(f"{len(chosen)} mutants compiled after {time.monotonic() - started:.0f} s", flush=True)
    if asked.only is not None:
        mutant = chosen[asked.only][1]
        print(f"{mutant.file}:{mutant.line}: {mutant.text}")
        environment = {**os.environ, mutants.ENVIRONMENT: str(asked.only)}
        for command in commands():
            subprocess.run([part for part in command if "fail_fast" not in part], cwd=ROOT, env=environment)
        return 0

    def survives(mutant):
        return all(passes(command, limit, mutant.number) for command, limit in limited)

    # Two at a time on two cores would make the limits of time a matter of luck: four times leaves room for it.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        alive = list(pool.map(survives, [mutant for _, mutant, _ in chosen]))
    survived = [mutant for (_, mutant, _), is_alive in zip(chosen, alive) if is_alive]
    return 0 if report(chosen, survived, time.monotonic() - started) else 1


if __name__ == "__main__":
    sys.exit(main())
