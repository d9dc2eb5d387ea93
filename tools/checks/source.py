"""What the checks share: which files there are, C++ text without comments and strings, functions and lambdas."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    """One breach of a rule. `line` counts from 1; 0 means the whole file."""

    path: str
    line: int
    text: str

    def __str__(self):
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.text}"


def cpp_files(root=ROOT):
    """Every C++ file of the project's own, as paths relative to the root, sorted."""
    folders = [root / name for name in ("src", "tests", "bench")]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".cpp", ".h")]
    return sorted(str(path.relative_to(root)) for path in found)


def tracked_files(root=ROOT):
    """Every file that git tracks or would track, as paths relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return sorted(name for name in names if (root / name).is_file())


def read(path, root=ROOT):
    return (root / path).read_text(encoding="utf-8", errors="replace")


TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<delimiter>[^()\\ \n]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def blank(text, keep_strings=False):
    """The text with comments and the insides of literals replaced by spaces; every line and column stays in place."""

    def replacement(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        if keep_strings:
            return token
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    return TOKENS.sub(replacement, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matching(text, offset):
    """Where the bracket at `offset` closes; the text's end when it does not."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opening, closing = text[offset], pairs[text[offset]]
    depth = 0
    for position in range(offset, len(text)):
        if text[position] == opening:
            depth += 1
        elif text[position] == closing:
            depth -= 1
            if depth == 0:
                return position
    return len(text) - 1


@dataclass(frozen=True)
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


SCOPE = re.compile(r'^(template\s*<.*>\s*)?(export\s+)?(inline\s+)?(namespace|class|struct|union|enum|extern\s+")', re.DOTALL)
AFTER_SIGNATURE = re.compile(r"(\)|\b(const|noexcept|override|final|mutable|try)|&)\s*$")
CALLED = re.compile(r"([~\w:]+(?:\s*operator\s*[^\s(]+)?)\s*\(")
TEST = re.compile(r"\b(TEST|TEST_F|TEST_P|TYPED_TEST)\s*\(\s*(\w+)\s*,\s*(\w+)")


def function_name(header):
    test = TEST.search(header)
    if test:
        return f"{test.group(2)}.{test.group(3)}"
    called = CALLED.search(header)
    return re.sub(r"\s+", "_", called.group(1) if called else header[:40])


def functions(text):
    """The function definitions of C++ text, the lambdas inside counted as part of the function around them.

    A reader of braces, not a parser: at namespace and class level a brace after a parameter list opens a body.
    """
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), blank(text), flags=re.M)
    found = []
    start = position = 0
    while position < len(code):
        character = code[position]
        if character in ";}":
            start = position + 1
        elif character == ":" and re.fullmatch(r"\s*(public|private|protected)\s*", code[start:position]):
            start = position + 1
        elif character in "([":
            position = matching(code, position)
        elif character == "{":
            header = code[start:position].strip()
            if SCOPE.match(header) or not header:
                start = position + 1
            else:
                end = matching(code, position)
                if is_initializer(header):
                    position = end
                elif is_member_initializer(header):
                    position = end
                else:
                    first = start + len(code[start:position]) - len(code[start:position].lstrip())
                    found.append(Function(function_name(header), line_of(code, first), line_of(code, end)))
                    position = end
                    start = end + 1
        position += 1
    return found


def is_initializer(header):
    """`int x{...}`, `Table t = {...}`: a value, not a body."""
    return header.endswith("=") or "(" not in header


def is_member_initializer(header):
    """The brace of `Foo() : a_{...}`; what follows the last one is the body."""
    listed = re.search(r"\)[^()]*?(?<!:):(?!:)", header)
    return bool(listed) and re.search(r"[\w>]$", header) is not None and not AFTER_SIGNATURE.search(header)


LAMBDA = re.compile(r"(?<![\w\])\[])\s*\[(?!\[)")


@dataclass(frozen=True)
class Lambda:
    captures: str
    body: str
    line: int


def lambdas(text):
    """The lambdas of C++ text; the body has the bodies of lambdas inside it blanked."""
    code = blank(text)
    found = []
    for match in LAMBDA.finditer(code):
        opening = match.end() - 1
        captures_end = matching(code, opening)
        after = re.compile(r"\s*(<[^>{}]*>)?\s*").match(code, captures_end + 1).end()
        if after < len(code) and code[after] == "(":
            after = matching(code, after) + 1
        brace = re.compile(r"(\s|mutable|noexcept|->[^;{}()]*(\([^{};]*\))?[^;{}()]*)*\{").match(code, after)
        if brace:
            end = matching(code, brace.end() - 1)
            found.append((match.end(), code[opening + 1:captures_end].strip(), brace.end(), end, line_of(code, opening)))
    result = []
    for _, captures, body_start, body_end, line in found:
        body = list(code[body_start:body_end])
        for _, _, inner_start, inner_end, _ in found:
            if body_start < inner_start and inner_end < body_end:
                body[inner_start - body_start:inner_end - body_start] = " " * (inner_end - inner_start)
        result.append(Lambda(captures, "".join(body), line))
    return result
