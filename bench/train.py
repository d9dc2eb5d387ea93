#!/usr/bin/env python3
"""The load whose profile the release binary is optimised by: `make profile`.

usage: train.py INSTRUMENTED_WEIR WEIR MOCK_UPSTREAM PROFILES

Sends what the benchmark sends, in counts and not for a time, so that the profile does not depend on the machine.
INSTRUMENTED_WEIR leaves what it counted in the folder PROFILES when it ends; WEIR makes the load.
"""

import pathlib
import sys

import memory
import run
import systems

# Requests by what limits them: a whole answer of 1 KB and of 100 KB, a stream at once, a stream that is paced.
REQUESTS, LARGE_REQUESTS, STREAMS, PACED_STREAMS = 20_000, 2_000, 2_000, 1_000


def requests_of(case):
    if case.events:
        return PACED_STREAMS if "paced" in case.model else STREAMS
    return LARGE_REQUESTS if case.prompt_bytes > 10_000 else REQUESTS


def main():
    instrumented, weir, mock_binary, profiles = (pathlib.Path(part).resolve() for part in sys.argv[1:5])
    systems.FOLDER.mkdir(parents=True, exist_ok=True)
    memory.raise_file_limit()
    mock = systems.mock(mock_binary)
    system = systems.weir(instrumented, mock.urls["json"], "weir-trained")
    system.env["LLVM_PROFILE_FILE"] = str(profiles / "weir-%p.profraw")
    try:
        system.start().wait_ready()
        for case in run.cases():
            load = ("--connections", case.connections, "--requests", requests_of(case))
            report = run.run_load(weir, system.urls[case.kind], case, *load)
            print(f"{case.name}: {report['completed']} requests", flush=True)
    finally:
        system.stop()
        mock.stop()


if __name__ == "__main__":
    main()
