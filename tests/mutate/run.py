#!/usr/bin/env python3
"""`make mutate`: do the tests of the codecs notice when a codec is wrong?

usage: run.py [--count 600] [--seed 1] [--only NUMBER]

Makes all mutants of src/codec in a copy of the tree (tests/mutate/mutants.py), compiles them at once, draws some
by the seed, and runs those tests that come by it once with each of them alive: first the unit tests, then the
recordings and the matrix of dialects. Who passes all has survived. Prints what survived and its reason from
survivors.txt; fails when fewer than 90 % were killed or a survivor has no reason. Another count or seed needs no
other build.
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
LEFT_ALONE = FOLDER / "left_alone.txt"  # what the last build found out: so the next one need not
SURVIVORS = ROOT / "tests" / "mutate" / "survivors.txt"
KILLED_MIN = 0.9
SWAP_SHARE = 0.2  # of the mutants, while there are that many


def codec_files():
    for path in sorted((ROOT / "src" / "codec").glob("*.cpp")):
        if not path.name.endswith(("_test.cpp", "_fuzz.cpp", "_bench.cpp")):
            yield path


def all_mutants(sources, without_tables):
    """[(file, Mutant, site)] of all that could be left out or swapped."""
    found = []
    for at, (file, source) in enumerate(sources.items()):
        # Each file has a thousand numbers of its own: a change of one leaves the others as they were compiled.
        for number, site in enumerate(mutants.sites(file, source, file not in without_tables), 1000 * at):
            found.append((file, mutants.Mutant(number, file, site[1], site[0], site[2]), site))
    return found


def choose(compiled, count, seed):
    """The mutants that are tried: the same for the same sources and seed."""
    kinds = {"delete": [], "swap": []}
    for entry in compiled:
        kinds[entry[1].kind].append(entry)
    dice = random.Random(seed)
    swaps = min(len(kinds["swap"]), int(count * SWAP_SHARE))
    picked = dice.sample(kinds["swap"], swaps)
    return picked + dice.sample(kinds["delete"], min(len(kinds["delete"]), count - swaps))


def write_tree(sources, compiled):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("src", "cmake", "tests/conformance", "third_party", "config", "bench", "tools/checks"):
        if (ROOT / name).exists():
            subprocess.run(
                ["cp", "-a", "-u", "--no-target-directory", str(ROOT / name), str(make_parent(TREE / name))],
                check=True,
            )
    for path in (TREE / "src" / "codec").iterdir():
        if not (ROOT / "src" / "codec" / path.name).exists():
            path.unlink()  # a test that is no longer there
    shutil.copy2(ROOT / "CMakeLists.txt", TREE)
    put(TREE / "src" / "base" / "mutant.h", mutants.HEADER)
    by_file = {}
    for file, mutant, site in compiled:
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
                *("-DCMAKE_CXX_FLAGS=-Wno-error -w", "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -Wl,--lto-O0"),
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


def test_command(tests):
    return [str(BUILD / "codec_test"), "--gtest_brief=1", "--gtest_fail_fast", f"--gtest_filter={':'.join(tests)}"]


MATRIX = [str(BUILD / "weir_conformance"), "tests/conformance/refusals.txt"]


def all_tests():
    """The names of the unit tests, as gtest lists them: suites, and their tests indented below."""
    listed = subprocess.run(
        [str(BUILD / "codec_test"), "--gtest_list_tests"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    suite, found = "", []
    for line in listed.stdout.splitlines():
        name = line.split("#")[0].strip()
        if line.startswith("  "):
            found.append(suite + name)
        elif name.endswith("."):
            suite = name
    return found


def passes(command, limit, number, reached=None):
    environment = {**os.environ, mutants.ENVIRONMENT: str(number)}
    if reached:
        environment[mutants.REACHED] = str(reached)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return False  # a loop without end is noticed too
    return done.returncode == 0


def look_at(name):
    """(name, seconds, the numbers of the mutants that it comes by) of a test, or of the matrix."""
    path = FOLDER / f"reached_{re.sub(r'[^0-9A-Za-z]', '_', name)}.txt"
    command = MATRIX if name == "matrix" else test_command([name])
    started = time.monotonic()
    if not passes(command, 600, -1, path):
        sys.exit(f"without any mutant this fails: {' '.join(command)}")
    took = time.monotonic() - started
    numbers = [int(line) for line in path.read_text().split()] if path.exists() else []
    path.unlink(missing_ok=True)
    return name, took, numbers


class Plan:
    """Which tests to run for a mutant: those that come by it, the quick kinds first."""

    def __init__(self, pool):
        self.seconds, self.by_number = {}, {}
        for name, took, numbers in pool.map(look_at, [*all_tests(), "matrix"]):
            self.seconds[name] = took
            for number in numbers:
                self.by_number.setdefault(number, []).append(name)

    def commands(self, number):
        """[(command, limit)], a limit of four times what it takes when no mutant is alive, and a few seconds."""
        names = self.by_number.get(number, [])
        recorded = [name for name in names if "Replay" in name]
        usual = [name for name in names if name not in recorded and name != "matrix"]
        groups = [(test_command(group), group) for group in (usual, recorded) if group]
        if "matrix" in names:
            groups.append((MATRIX, ["matrix"]))
        return [(command, 4 * sum(self.seconds[name] for name in group) + 5) for command, group in groups]


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


def show(mutant, plan):
    print(f"{mutant.file}:{mutant.line}: {mutant.text}", flush=True)
    environment = {**os.environ, mutants.ENVIRONMENT: str(mutant.number)}
    for command, _ in plan.commands(mutant.number):
        subprocess.run([part for part in command if "fail_fast" not in part], cwd=ROOT, env=environment)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one mutant: shows which tests notice it")
    asked = parser.parse_args()
    started = time.monotonic()
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in codec_files()}
    without_tables = set(LEFT_ALONE.read_text().split()) if LEFT_ALONE.exists() else set()
    while True:
        compiled = all_mutants(sources, without_tables)
        write_tree(sources, compiled)
        failed = build()
        if not failed:
            break
        if failed <= without_tables:
            sys.exit(f"these do not compile with mutants of statements: {sorted(failed)}")
        print(f"tables used at compile time, left alone: {sorted(failed - without_tables)}", flush=True)
        without_tables |= failed
        LEFT_ALONE.write_text("\n".join(sorted(without_tables)))
    chosen = choose(compiled, asked.count, asked.seed)
    print(f"{len(compiled)} mutants compiled after {time.monotonic() - started:.0f} s", flush=True)
    # Two at a time on two cores would make the limits of time a matter of luck: four times leaves room for it.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        plan = Plan(pool)
        if asked.only is not None:
            return show(next(mutant for _, mutant, _ in compiled if mutant.number == asked.only), plan)

        def survives(mutant):
            return all(passes(command, limit, mutant.number) for command, limit in plan.commands(mutant.number))

        alive = list(pool.map(survives, [mutant for _, mutant, _ in chosen]))
    survived = [mutant for (_, mutant, _), is_alive in zip(chosen, alive) if is_alive]
    return 0 if report(chosen, survived, time.monotonic() - started) else 1


if __name__ == "__main__":
    sys.exit(main())
