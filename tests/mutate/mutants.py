"""Mutants of C++ sources, as schemata: all of them are compiled at once, and a number in the environment says
which one is alive (R. Untch, A. J. Offutt, M. J. Harrold: Mutation analysis using mutant schemata, 1993).

Two kinds: a statement that is left out, and a table whose rows have swapped their last values (or, in a list of
words, a row in place of its neighbour). Sources are read by their layout, which clang-format decides: a
statement begins on a line of its own. What that misses is no mutant; what it gets wrong does not compile, and
then the tables of that file stay as they are.
"""

import dataclasses
import re

ENVIRONMENT = "WEIR_MUTANT"
# Names a file: the process writes into it the numbers of the mutants that it came by.
REACHED = "WEIR_MUTANTS_REACHED"
HEADER = f"""#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
namespace weir {{
class MutantsReached {{
 public:
  void add(int number) {{
    const auto at = static_cast<size_t>(number);
    if (at >= seen_.size()) seen_.resize(at + 1);
    seen_[at] = true;
  }}
  ~MutantsReached() {{
    const char* path = std::getenv("{REACHED}");
    FILE* file = path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    for (size_t number = 0; number < seen_.size(); ++number) {{
      if (seen_[number]) std::fputs((std::to_string(number) + "\\n").c_str(), file);
    }}
    std::fclose(file);
  }}

 private:
  std::vector<bool> seen_;
}};
inline bool is_mutant(int number) {{
  static const int alive = std::getenv("{ENVIRONMENT}") ? std::atoi(std::getenv("{ENVIRONMENT}")) : -1;
  static MutantsReached reached;
  reached.add(number);
  return number == alive;
}}
}}  // namespace weir
"""

# What begins a line and is no statement that could be left out.
KEYWORDS = re.compile(
    r"(return|co_return|co_await|break|continue|const|constexpr|static|auto|using|case|default|for|while|switch|else|do|"
    r"throw|template|class|struct|enum|namespace|public|private|protected|friend|typedef|explicit|virtual|"
    r"inline|operator|delete|thread_local|goto|WEIR_ASSERT|static_assert|REQUIRES)\b"
)
# Up to what makes it an expression a statement has no space, unless in template arguments: with one it would be
# a declaration.
EXPRESSION = re.compile(r"^(\(void\))?(\+\+|--|\*)?[\w:.\->\[\]<>*&+]*?(\(| [-+*/|&^%]?= |\+\+;|--;)")


@dataclasses.dataclass(frozen=True)
class Mutant:
    number: int
    file: str
    line: int  # of the original
    kind: str  # "delete" or "swap"
    text: str  # the statement, or the table's name and the two rows; on one line

    def key(self):
        return f"{self.file}: {self.kind} {self.text}"


def blank(source):
    """The source with comments, strings and character constants blanked, at the same places."""
    pattern = re.compile(
        r'R"(\w*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", "_", m.group()), source)


def end_of_statement(text, start):
    """The position behind the ';' that ends the statement beginning at `start`, or None."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif text[at] == ";" and depth == 0:
            return at + 1
    return None


def statements(source):
    """(begin, end) of each statement that may be left out; none lies within another."""
    text = blank(source)
    last_end = 0
    behind = ";"  # the last character that is neither space nor comment
    for match in re.finditer(r"^( {2,})(\S.*)$", text, re.M):
        begin, first = match.start(2), match.group(2)
        before = text[:begin].rstrip()
        while before.endswith("_") and before[before.rfind("\n") + 1 :].lstrip().startswith("_"):
            before = before[: before.rfind("\n")].rstrip()  # a line that is a comment
        behind = before[-1:]
        starts_anew = behind in ";{}" or before.endswith(":") or (behind == ")" and is_condition(text, before))
        if begin < last_end or not starts_anew or KEYWORDS.match(first):
            continue
        # On one line, whole: a line of a longer one may end with the ';' within its condition.
        is_if = first.startswith("if (") and first.endswith(";") and first.count("(") == first.count(")")
        if not is_if and not EXPRESSION.match(first):
            continue
        end = end_of_statement(text, begin)
        # Within braces of an initialiser, or of a declaration, there are commas instead.
        if end is None or in_initialiser(text, begin):
            continue
        last_end = end
        yield begin, end


def is_condition(text, before):
    """Whether the ')' at the end of `before` closes the condition of an if, for or while."""
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            return re.search(r"\b(if|for|while)( constexpr)? $", before[:at]) is not None
    return False


def in_initialiser(text, begin):
    """Whether the innermost open brace before `begin` opens a list, a class or an enumeration."""
    depth = 0
    for at in range(begin - 1, -1, -1):
        depth += {"}": 1, "{": -1}.get(text[at], 0)
        if depth < 0:
            head = text[:at].rstrip()
            line = head[max(head.rfind("\n\n"), head.rfind(";"), head.rfind("}"), 0) :]
            return head.endswith(("=", ",", "{", "(")) or bool(re.search(r"\b(class|struct|enum|union)\b", line))
    return True


TABLE = re.compile(r"^( *)((?:static )?)constexpr (std::array(?:<[^;={]*>)?) (k\w+) = \{", re.M)


def rows_of(source, text, begin):
    """(begin, end) of each row of the table whose outer '{' is at `begin`, and the place behind its ';'."""
    while text[begin + 1 :].lstrip().startswith("{") and not rows_at(text, begin)[0][1:]:
        begin = text.index("{", begin + 1)
    rows, close = rows_at(text, begin)
    return rows, text.index(";", close) + 1


def rows_at(text, begin):
    rows, depth, start = [], 0, begin + 1
    for at in range(begin, len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
            if depth == 0:
                if text[start:at].strip():
                    rows.append((start, at))
                return rows, at
        elif text[at] == "," and depth == 1:
            rows.append((start, at))
            start = at + 1
    return rows, len(text) - 1


def last_value(text, row):
    """(begin, end) of the last value of a row in braces with several; None for another."""
    open_at = text.find("{", *row)
    if open_at < 0:
        return None
    values, close = rows_at(text, open_at)
    return values[-1] if len(values) > 1 and close < row[1] else None


def swapped(source, text, rows, index):
    """The table's text with rows `index` and `index + 1` swapped, or None where that would change nothing."""
    first, second = rows[index], rows[index + 1]
    values = last_value(text, first), last_value(text, second)
    if all(values):
        (a, b), (c, d) = values
        if source[a:b].strip() == source[c:d].strip():
            return None
        return a, d, source[c:d] + source[b:c] + source[a:b]
    if "{" in text[first[0] : first[1]]:
        return None
    # A list of words: one of them is lost.
    (a, b), (c, d) = first, second
    return a, d, source[c:d] + source[b:c] + source[c:d]


def tables(source):
    """(begin, end, head, name, [(text of the swapped rows, the rows in a line)])"""
    text = blank(source)
    for match in TABLE.finditer(text):
        begin = match.end() - 1
        rows, end = rows_of(source, text, begin)
        found = []
        for index in range(len(rows) - 1):
            swap = swapped(source, text, rows, index)
            if swap:
                a, d, new = swap
                line = source.count("\n", 0, rows[index][0]) + 1
                found.append((source[begin:a] + new + source[d:end], one_line(source[a:d]), line))
        if found:
            yield match.start(), end, match, begin, found


def one_line(text):
    return re.sub(r"\s+", " ", text).strip()


def sites(file, source, with_tables=True):
    """The mutants of a file, unnumbered: (kind, line, text, replace) with replace(numbers) made by `write`."""
    found = []
    for begin, end in statements(source):
        found.append(("delete", source.count("\n", 0, begin) + 1, one_line(source[begin:end]), (begin, end)))
    if with_tables:
        for place in tables(source):
            for swap_index, (_, rows, line) in enumerate(place[4]):
                name = place[2].group(4)
                found.append(("swap", line, f"{name}: {rows}", (place, swap_index)))
    return found


def write(source, chosen):
    """The source with the chosen sites as schemata. `chosen`: (number, site) pairs of this file."""
    edits = []
    by_table = {}
    for number, (kind, _, _, place) in chosen:
        if kind == "delete":
            begin, end = place
            edits.append((begin, end, f"{{ if (!::weir::is_mutant({number})) {{ {source[begin:end]} }} }}"))
        else:
            by_table.setdefault(place[0][0], (place[0], []))[1].append((number, place[1]))
    for place, swaps in by_table.values():
        begin, end, match, brace, found = place
        indent, _, kind, name = match.groups()
        head = f"{indent}static constexpr {kind} "
        lines = [f"{head}{name}_original = {source[brace:end]}"]
        choice = f"{name}_original"
        for number, index in swaps:
            lines.append(f"{head}{name}_{number} = {found[index][0]}")
            choice = f"::weir::is_mutant({number}) ? {name}_{number} : {choice}"
        lines.append(f"{indent}[[maybe_unused]] static const auto& {name} = {choice};")
        edits.append((begin, end, "\n".join(lines)))
    out, at = [], 0
    for begin, end, new in sorted(edits):
        out += [source[at:begin], new]
        at = end
    return '#include "base/mutant.h"\n' + "".join(out) + source[at:]
