"""A file of src/ includes from its own folder and from folders before it in CMakeLists.txt, never from one after it.

Libraries hide behind the folder that owns them, so that a header of theirs stays out of everybody's build.
"""

import re

from source import Finding, blank, cpp_files, line_of, read

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)

# A library's headers, and the folders of src/ that may include them. Tests and fuzzers may use any.
LIBRARIES = {
    r"openssl/": {"base", "io"},
    r"nghttp2/": {"io"},
    r"ares": {"io"},
    r"zlib\.h": {"io"},
    r"zstd\.h": {"io", "llm"},
    r"sqlite3\.h": {"store"},
    r"simdjson": {"base"},
    r"pcre2": {"llm"},
    r"yaml-cpp/": {"provider"},
    r"CLI/": {"app"},
}


def layer_order(cmake):
    """The folders in the order of the layers, as CMakeLists.txt lists them."""
    return re.findall(r"^weir_folder\((\w+)", cmake, re.M)


def find(path, text, order):
    """Breaches in one file of src/; `order` is the layer order."""
    folder = path.split("/")[1]
    if folder not in order:
        return [Finding(path, 0, f"the folder {folder} is not in CMakeLists.txt")]
    rank = order.index(folder)
    is_test = re.search(r"_(test|fuzz|bench)\.cpp$", path) is not None
    findings = []
    for match in INCLUDE.finditer(blank(text, keep_strings=True)):
        line = line_of(text, match.start(1))
        header = match.group(2)
        if match.group(1) == '"':
            target = header.split("/")[0]
            if target not in order:
                findings.append(Finding(path, line, f'"{header}" names no folder of src/: includes are written from src/'))
            elif order.index(target) > rank:
                findings.append(Finding(path, line, f"{folder} is a layer below {target} and cannot include \"{header}\""))
        elif not is_test:
            for pattern, folders in LIBRARIES.items():
                if re.match(pattern, header) and folder not in folders:
                    homes = ", ".join(sorted(folders))
                    findings.append(Finding(path, line, f"<{header}> hides behind {homes}; {folder} uses their interface"))
    return findings


def check(build_dir=None):
    order = layer_order(read("CMakeLists.txt"))
    paths = [path for path in cpp_files() if path.startswith("src/")]
    return [finding for path in paths for finding in find(path, read(path), order)]
