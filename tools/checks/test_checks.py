"""Shows for each check that it passes good text and fails bad text."""

import unittest

import check_banned
import check_docs
import check_layers
import check_lengths
import check_paths
import check_tests
import source

ORDER = ["base", "io", "api"]


def texts(findings):
    return " | ".join(str(finding) for finding in findings)


class Source(unittest.TestCase):
    def test_blank_keeps_lines_and_drops_comments_and_strings(self):
        text = 'int a; // sprintf(\nauto b = "std::regex"; /* rand(\n) */ char c = \'{\';\n'
        code = source.blank(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertEqual(len(code), len(text))
        for word in ("sprintf", "regex", "rand", "{"):
            self.assertNotIn(word, code)

    def test_blank_understands_raw_strings_and_digit_separators(self):
        self.assertNotIn("{", source.blank('auto j = R"({"a": "b)")" ;'.replace(')")"', ')"')))
        self.assertIn("int y;", source.blank("int x = 1'000'000; int y; int z = 2'000;"))

    def names(self, text):
        return [(found.name, found.lines) for found in source.functions(text)]

    def test_functions_are_found_wherever_they_stand(self):
        text = (
            "namespace a {\nclass B {\n public:\n  B() : x_{1}, y_(2) {\n    go();\n  }\n"
            "  int get() const { return x_; }\n private:\n  int x_{0};\n};\n"
            "Result<int> B::half(int n) {\n  if (n) {\n    return n;\n  }\n  return {};\n}\n"
            "TEST(Half, Halves) {\n}\n}\n"
        )
        self.assertEqual(self.names(text), [("B", 3), ("get", 1), ("B::half", 6), ("Half.Halves", 2)])

    def test_values_are_not_functions(self):
        text = "const Row kRows[] = {\n  {kind(1), 2},\n};\nint x{3};\nenum class E : int {\n a,\n};\nvoid f(T a = {});\n"
        self.assertEqual(self.names(text), [])

    def test_macros_do_not_confuse_the_reader(self):
        text = "#define TRY(x) \\\n  ({ \\\n    x; \\\n  })\nvoid f() {\n}\n"
        self.assertEqual(self.names(text), [("f", 2)])

    def test_lambdas_give_captures_and_a_body_of_their_own(self):
        found = source.lambdas("auto f = [&x](int a) mutable { return [] { co_return; }; };")
        self.assertEqual([(one.captures, "co_return" in one.body) for one in found], [("&x", False), ("", True)])

    def test_subscripts_and_attributes_are_not_lambdas(self):
        self.assertEqual(source.lambdas("[[nodiscard]] int f() { a[i](b); return v()[0]; }"), [])


class Layers(unittest.TestCase):
    def test_the_order_is_read_from_cmake(self):
        self.assertEqual(check_layers.layer_order("weir_folder(base LINK x)\n# weir_folder(no)\nweir_folder(io)\n"), ["base", "io"])

    def test_own_folder_and_those_before_are_fine(self):
        text = '#include "io/a.h"\n#include "base/b.h"\n#include <nghttp2/nghttp2.h>\n// #include "api/c.h"\n'
        self.assertEqual(check_layers.find("src/io/x.cpp", text, ORDER), [])

    def test_a_later_folder_fails(self):
        findings = check_layers.find("src/base/x.cpp", '\n#include "api/c.h"\n', ORDER)
        self.assertIn("src/base/x.cpp:2: base is a layer below api", texts(findings))

    def test_an_include_that_is_not_from_src_fails(self):
        self.assertIn("names no folder", texts(check_layers.find("src/io/x.cpp", '#include "x.h"\n', ORDER)))

    def test_a_folder_that_cmake_does_not_list_fails(self):
        self.assertIn("not in CMakeLists", texts(check_layers.find("src/misc/x.cpp", "", ORDER)))

    def test_a_library_outside_its_home_fails_but_not_in_a_test(self):
        text = "#include <simdjson.h>\n"
        self.assertIn("hides behind base", texts(check_layers.find("src/api/x.cpp", text, ORDER)))
        self.assertEqual(check_layers.find("src/api/x_test.cpp", text, ORDER), [])


class Lengths(unittest.TestCase):
    def test_what_is_short_passes(self):
        text = "int f() {\n" + "  go();\n" * 68 + "}\n"
        self.assertEqual(check_lengths.measure("src/base/x.cpp", text), {})

    def test_each_kind_is_measured(self):
        body = "int f() {\n" + "  go();\n" * 69 + "}\n"
        self.assertEqual(check_lengths.measure("a.cpp", body), {("function", "a.cpp", "f"): (71, 1)})
        self.assertEqual(check_lengths.measure("a.h", "\n" * 251), {("header", "a.h", "-"): (251, 0)})
        self.assertEqual(check_lengths.measure("a.cpp", "\n" * 601), {("file", "a.cpp", "-"): (601, 0)})
        self.assertEqual(check_lengths.measure("a.cpp", "//" + "x" * 109 + "\n"), {("line", "a.cpp", "-"): (111, 1)})

    def test_test_code_may_hold_a_long_protocol_text_and_no_other_long_line(self):
        literal = 'auto a = R"(' + "x" * 120 + ')";\n'
        self.assertEqual(check_lengths.measure("src/a_test.cpp", literal), {})
        self.assertEqual(len(check_lengths.measure("src/a.cpp", literal)), 1)
        self.assertEqual(len(check_lengths.measure("src/a_test.cpp", "//" + "x" * 120)), 1)
        self.assertEqual(check_lengths.measure("src/io/test_client.h", "\n" * 300), {})

    def test_the_list_only_shrinks(self):
        key = ("function", "a.cpp", "f")
        self.assertEqual(check_lengths.compare({key: (80, 1)}, {key: 80}), [])
        self.assertIn("has 81", texts(check_lengths.compare({key: (81, 1)}, {key: 80})))
        self.assertIn("shrank to 79", texts(check_lengths.compare({key: (79, 1)}, {key: 80})))
        self.assertIn("is fine now", texts(check_lengths.compare({}, {key: 80})))
        self.assertIn("has 80", texts(check_lengths.compare({key: (80, 1)}, {})))

    def test_an_update_never_raises_or_adds(self):
        one, two = ("function", "a.cpp", "f"), ("file", "b.cpp", "-")
        self.assertEqual(check_lengths.lowered({one: (90, 1), two: (700, 0)}, {one: 80}), {one: 80})
        self.assertEqual(check_lengths.lowered({one: (75, 1)}, {one: 80, two: 650}), {one: 75})

    def test_the_list_is_read(self):
        self.assertEqual(check_lengths.parse_allowed("# head\nfunction a.cpp f 80\n"), {("function", "a.cpp", "f"): 80})


class Banned(unittest.TestCase):
    BAD = {
        "regex": "std::regex r;", "strtok": "strtok(a, b);", "sprintf": "std::snprintf(a, 3, b);",
        "unbounded-copy": "strcpy(a, b);", "rand": "int x = rand();", "async": "std::async(f);", "not-thread-safe": "auto t = localtime(&now);",
        "detached": "co_spawn(e, f(), detached);", "sleep": "std::this_thread::sleep_for(1s);",
        "stoi": "std::stoi(s);", "getenv": 'std::getenv("X");', "stdout": "std::cout << 1;",
        "wall-clock": "auto t = std::chrono::steady_clock::now();", "assert": "assert(x);",
        "memcmp-secret": "memcmp(a, secret, 32);", "locale": "std::stringstream s;",
        "using-namespace": "using namespace std;", "system": 'system("ls");',
        "lambda-coroutine": "auto f = [x]() -> Task<int> { co_return x; };",
    }

    def test_every_rule_fails_its_example(self):
        self.assertEqual(set(self.BAD), {rule.name for rule in check_banned.RULES} | {"lambda-coroutine"})
        for name, text in self.BAD.items():
            with self.subTest(name):
                self.assertIn(f"[{name}]", texts(check_banned.find("src/gateway/x.cpp", text)))

    def test_good_text_passes(self):
        text = (
            "// sprintf( in a comment\nauto a = \"std::regex\";\nstatic_assert(sizeof(int) == 4);\nco_await scope.sleep(5ms);\n"
            "auto f = []() -> Task<int> { co_return 1; };\nauto g = [&](int x) { return x; };\nusing namespace std::chrono_literals;\n"
            "using namespace sigv4_detail;\nint operand(int x);\n"
        )
        self.assertEqual(texts(check_banned.find("src/gateway/x.cpp", text)), "")

    def test_a_rule_holds_only_where_it_is_meant(self):
        self.assertEqual(check_banned.find("src/app/x.cpp", 'std::getenv("X"); std::cout << 1;'), [])
        self.assertEqual(check_banned.find("src/io/x_test.cpp", "std::this_thread::sleep_for(1s);"), [])

    def test_an_exception_needs_its_reason(self):
        bad = "std::stoi(s);"
        self.assertEqual(check_banned.find("src/io/x.cpp", f"{bad}  // allowed(stoi): the input is our own literal"), [])
        self.assertEqual(check_banned.find("src/io/x.cpp", f"// allowed(stoi): the input is our own literal\n{bad}"), [])
        self.assertNotEqual(check_banned.find("src/io/x.cpp", f"{bad}  // allowed(stoi):"), [])
        self.assertNotEqual(check_banned.find("src/io/x.cpp", f"{bad}  // allowed(rand): other rule"), [])


class Tests(unittest.TestCase):
    TARGETS = {"src/io/a_test.cpp": {"io_test"}, "src/io/h_fuzz.cpp": {"h_fuzz"}, "tests/sim/s.cpp": {"sim_test"}}
    RUN = {"io_test", "sim_test", "h_fuzz_corpus"}

    def test_what_is_compiled_and_run_passes(self):
        self.assertEqual(check_tests.find(sorted(self.TARGETS), self.TARGETS, self.RUN, {"h_fuzz"}), [])

    def test_a_forgotten_file_fails(self):
        found = check_tests.find(["src/io/b_test.cpp", "src/io/c_fuzz.cpp"], {}, self.RUN, set())
        self.assertIn("b_test.cpp: no test binary", texts(found))
        self.assertIn("c_fuzz.cpp: no fuzzer", texts(found))

    def test_a_binary_that_ctest_does_not_run_fails(self):
        found = check_tests.find(sorted(self.TARGETS), self.TARGETS, set(), {"h_fuzz"})
        self.assertEqual(len(found), 3)

    def test_corpora_and_fuzzers_belong_together(self):
        self.assertIn("has no corpus", texts(check_tests.find(["src/io/h_fuzz.cpp"], self.TARGETS, self.RUN, set())))
        self.assertIn("corpus of no fuzzer", texts(check_tests.find([], {}, set(), {"old_fuzz"})))

    def test_build_files_are_read(self):
        command = {"file": str(source.ROOT / "src/io/a_test.cpp"), "command":
                   "cc -include-pch /x/CMakeFiles/weir_pch.dir/x.pch -o CMakeFiles/io_test.dir/src/io/a_test.cpp.o"}
        self.assertEqual(check_tests.compiled([command]), {"src/io/a_test.cpp": {"io_test"}})
        self.assertEqual(check_tests.tests_run('add_test([=[io_test]=] "/x")\nadd_test(checks "/y")\n'), {"io_test", "checks"})


class Paths(unittest.TestCase):
    def test_relative_paths_and_other_hosts_pass(self):
        text = "src/work/x.cpp build/root/ https://api.openai.com/v1 /home/weir/data ./weir-data\n"
        self.assertEqual(texts(check_paths.find("README.md", text)), "")

    def test_machine_paths_and_package_hosts_fail(self):
        for bad in ("/" + "root/x", "/" + "home/ada/x", "/" + "work/main/x", "https://registry." + "npmjs.org/a", "deb." + "debian.org"):
            with self.subTest(bad):
                self.assertEqual(len(check_paths.find("a.md", f"see {bad} here\n")), 1)


class Docs(unittest.TestCase):
    THERE = {"docs/status.md", "tools/run.sh", "LICENSE"}

    def find(self, path, text):
        return texts(check_docs.find(path, text, self.THERE.__contains__, {"run", "test-all"}))

    def test_what_is_there_passes(self):
        text = "[a](LICENSE) [b](docs/status.md#x) [c](https://example.com) `tools/run.sh` `make run` `a/b.h`\nmake test-all # x\n"
        self.assertEqual(self.find("README.md", text), "")

    def test_what_is_missing_fails(self):
        self.assertIn("links to LICENCE", self.find("README.md", "see [it](LICENCE)"))
        self.assertIn("links to ../x.md", self.find("docs/a.md", "see [it](../x.md)"))
        self.assertIn("names tools/walk.sh", self.find("README.md", "`tools/walk.sh`"))
        self.assertIn("says make walk", self.find("README.md", "`make walk`"))
        self.assertIn("says make walk", self.find("README.md", "```\nmake walk\n```"))

    def test_targets_are_read(self):
        self.assertEqual(check_docs.make_targets("run: ## x\n\t@go\ntest-all:\n.PHONY: a\n"), {"run", "test-all"})


if __name__ == "__main__":
    unittest.main()
