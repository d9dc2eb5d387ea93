"""Calls that Weir does not use, each with what to use instead.

A line that has to differ says so with its reason: `// allowed(sleep): the process has no core yet`.
"""

import re
from dataclasses import dataclass

from source import Finding, blank, cpp_files, lambdas, line_of, read


@dataclass(frozen=True)
class Rule:
    name: str
    pattern: str
    instead: str
    where: str = r"^(src|tests|bench)/"  # the paths that it concerns
    unless: str = r"^$"  # the paths that may use it


TESTS = r"_(test|fuzz|bench)\.cpp$|/test_\w+\.(h|cpp)$|_test_(util|client)\.h$|^tests/|^bench/"

RULES = [
    Rule("regex", r"\bstd::(basic_)?w?regex\b", "a hand-written scan, or PCRE2 behind its file: std::regex recurses on input"),
    Rule("strtok", r"\bstrtok(_r)?\s*\(", "base/ string splitting: strtok keeps state and writes into its input"),
    Rule("sprintf", r"\bv?sn?printf\s*\(", "fmt::format or fmt::format_to_n: checked at compile time"),
    Rule("unbounded-copy", r"\bstr(cpy|cat|ncpy|ncat)\s*\(", "std::string or std::copy_n: they know their length"),
    Rule("rand", r"(\b|::)s?rand(om)?\s*\(\s*\)|\bstd::(random_device|mt19937(_64)?)\b", "Rng of base/random.h: seeded, so that the simulator can replay", unless=TESTS + r"|^src/base/random\.cpp$"),
    Rule("not-thread-safe", r"(?<![\w.>:])(std::)?(localtime|gmtime|asctime|ctime|setenv|putenv)\s*\(", "gmtime_r, localtime_r: one buffer for all threads is a race; only main changes the environment", unless=TESTS),
    Rule("async", r"\bstd::async\b", "Pool of io/pool.h: bounded, with a name in base/limits.h"),
    Rule("detached", r"\bdetached\b|\.detach\s*\(\s*\)", "Scope::spawn: every coroutine and thread has an owner that outlives it"),
    Rule("sleep", r"\b(sleep_(for|until)|usleep|nanosleep)\s*\(|(?<![\w:])::sleep\s*\(|^\s*sleep\s*\(\s*\d", "a timed wait of the Scope: nothing blocks on a core's thread", where=r"^src/", unless=TESTS),
    Rule("stoi", r"\bstd::sto(i|l|ll|ul|ull|f|d|ld)\s*\(|\bato(i|l|ll|f)\s*\(", "std::from_chars: no exception, no locale, no silent prefix", unless=TESTS),
    Rule("getenv", r"\b(std::)?(secure_)?getenv\s*\(", "Settings: only app reads the environment", where=r"^src/", unless=TESTS + r"|^src/app/"),
    Rule("stdout", r"\bstd::(cout|cerr|clog)\b|\b(std::)?(printf|puts)\s*\(|\bfmt::print\s*\(", "log() of base/log.h: only commands of app write to the terminal", where=r"^src/", unless=TESTS + r"|^src/app/"),
    Rule("wall-clock", r"\b(system_clock|steady_clock|high_resolution_clock)::now\b|\bclock_gettime\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)", "Clock of base/clock.h: the simulator's time is not the wall's", where=r"^src/", unless=TESTS + r"|^src/base/(clock|log)\.(cpp|h)$"),
    Rule("assert", r"(?<![\w_])assert\s*\(|#\s*include\s*<cassert>", "WEIR_ASSERT: stays on in release"),
    Rule("memcmp-secret", r"\b(mem|str)cmp\s*\([^;\n]*(secret|token|password|signature|api_key|digest)", "constant_time_equal of base/crypto"),
    Rule("locale", r"\bstd::(locale|stringstream|ostringstream|istringstream)\b|\bsetlocale\s*\(", "fmt and std::from_chars: no locale, no allocation per call", unless=TESTS + r"|_yaml\.cpp$"),
    Rule("using-namespace", r"\busing\s+namespace\s+(?!std::chrono\b)(?!std::(\w+_)?literals\b)(?!\w+_detail\b)", "the full name, or a using declaration", unless=r"_fuzz\.cpp$"),
    Rule("system", r"\b(std::)?(system|popen)\s*\(", "a child program started without a shell", where=r"^src/", unless=TESTS),
]

ALLOWED = re.compile(r"//.*\ballowed\(([\w-]+)\):\s*\S")


def allowed_rules(lines, line):
    """The rules that line number `line` (from 1), or a comment line just above it, sets aside with a reason."""
    near = [lines[line - 1]]
    if line >= 2 and lines[line - 2].lstrip().startswith("//"):
        near.append(lines[line - 2])
    return {match.group(1) for text in near for match in ALLOWED.finditer(text)}


def find(path, text):
    code = blank(text)
    lines = text.split("\n")
    findings = []
    for rule in RULES:
        if not re.search(rule.where, path) or re.search(rule.unless, path):
            continue
        for match in re.finditer(rule.pattern, code, re.M):
            line = line_of(code, match.start())
            if rule.name not in allowed_rules(lines, line):
                findings.append(Finding(path, line, f"{match.group(0).strip()} is banned; use {rule.instead} [{rule.name}]"))
    for lambda_ in lambdas(text):
        awaits = re.search(r"\bco_(await|return|yield)\b|\bCO_TRY\b", lambda_.body)
        if lambda_.captures and awaits and "lambda-coroutine" not in allowed_rules(lines, lambda_.line):
            findings.append(Finding(path, lambda_.line, "a lambda with captures is a coroutine: its captures die with the "
                                    "lambda, not with the frame; use a function with parameters by value [lambda-coroutine]"))
    return findings


def check(build_dir=None):
    return [finding for path in cpp_files() for finding in find(path, read(path))]
