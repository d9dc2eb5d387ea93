// `make conformance`: every client dialect asks every provider dialect every case, whole and streamed, and
// the table of what happened is printed as Markdown.
//
//   weir_conformance tests/conformance/refusals.txt [CLIENT TARGET]
//
// Exits 1 for a cell that is silent or broken, for a refusal that the list does not allow, and for a row of
// the list that nothing needs any more.
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <map>

#include "base/text.h"
#include "cell.h"

namespace weir::conformance {
namespace {

// CASE | CLIENT | TARGET | WORDS | RULE: a refusal whose reason holds the words is allowed by the rule. '*'
// is any.
struct Allowed {
  std::string line;
  std::string named, client, target, words, rule;
  bool is_used = false;
};

std::vector<Allowed> read_allowed(const std::string& path) {
  std::vector<Allowed> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (trim(line).empty() || line.starts_with('#')) continue;
    std::vector<std::string> fields;
    for (const std::string_view field : split(line, '|')) fields.emplace_back(trim(field));
    fields.resize(5);
    rows.push_back({.line = line,
                    .named = fields[0],
                    .client = fields[1],
                    .target = fields[2],
                    .words = fields[3],
                    .rule = fields[4]});
  }
  return rows;
}

class Matrix {
 public:
  Matrix(std::vector<Allowed> allowed, std::string client, std::string target)
      : allowed_(std::move(allowed)), only_client_(std::move(client)), only_target_(std::move(target)) {}

  int run() {
    for (const DialectUnderTest& client : dialects_under_test()) {
      if (only_client_.empty() || only_client_ == to_string(client.dialect)) print_client(client);
    }
    print_notes();
    if (only_client_.empty()) check_list();
    std::cout << fmt::format("\n{} cells: {} carried, {} emulated, {} refused by a rule, {} failures\n",
                             cells_, counts_[Outcome::carried], counts_[Outcome::emulated],
                             counts_[Outcome::refused], failures_.size());
    for (const std::string& failure : failures_) std::cerr << "FAILED " << failure << '\n';
    return failures_.empty() ? 0 : 1;
  }

 private:
  bool is_wanted(const DialectUnderTest& target) const {
    return only_target_.empty() || only_target_ == to_string(target.dialect);
  }

  void print_client(const DialectUnderTest& client) {
    std::cout << fmt::format("\n### From {}\n\n| case |", to_string(client.dialect));
    std::string rule = "|---|";
    for (const DialectUnderTest& target : dialects_under_test()) {
      if (!is_wanted(target)) continue;
      std::cout << ' ' << to_string(target.dialect) << " |";
      rule += "---|";
    }
    std::cout << '\n' << rule << '\n';
    for (const Case& wanted : all_cases()) {
      std::cout << "| " << wanted.name << " |";
      for (const DialectUnderTest& target : dialects_under_test()) {
        if (!is_wanted(target)) continue;
        const std::string whole = cell_text(wanted, client, target, false);
        const std::string streamed = cell_text(wanted, client, target, true);
        std::cout << ' ' << (whole == streamed ? whole : whole + " / " + streamed) << " |";
      }
      std::cout << '\n';
    }
  }

  std::string cell_text(const Case& wanted, const DialectUnderTest& client, const DialectUnderTest& target,
                        bool is_streamed) {
    Cell cell = run_cell(wanted, client, target, is_streamed);
    ++cells_;
    const std::string name = fmt::format("{}, {} to {}, {}", wanted.name, to_string(client.dialect),
                                         to_string(target.dialect), is_streamed ? "streamed" : "whole");
    const std::string reason = single_line(cell.why);
    std::string note = reason;
    if (cell.outcome == Outcome::refused) {
      const std::string rule = rule_of(wanted, client, target, reason);
      if (rule.empty()) {
        failures_.push_back(fmt::format("{}: refused without a rule: {}", name, reason));
      } else {
        note = rule;
        ++refused_by_rule_;
      }
    } else if (cell.outcome >= Outcome::silent) {
      failures_.push_back(fmt::format("{}: {}: {}", name, to_string(cell.outcome), reason));
    }
    ++counts_[cell.outcome];
    std::string text(to_string(cell.outcome));
    return note.empty() ? text : fmt::format("{} [{}]", text, note_number(note));
  }

  static std::string single_line(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? ' ' : c;
    return out;
  }

  // Words that begin with "answer: " cover an answer that lost this one thing; others need only stand in the
  // reason.
  static bool covers(const std::string& words, const std::string& reason) {
    const size_t at = reason.find(words);
    if (at == std::string::npos) return false;
    return !words.starts_with("answer: ") || reason.find(';', at) == std::string::npos;
  }

  std::string rule_of(const Case& wanted, const DialectUnderTest& client, const DialectUnderTest& target,
                      const std::string& reason) {
    const auto fits = [](const std::string& pattern, std::string_view name) {
      return pattern == "*" || pattern == name;
    };
    for (Allowed& row : allowed_) {
      if (fits(row.named, wanted.name) && fits(row.client, to_string(client.dialect)) &&
          fits(row.target, to_string(target.dialect)) && covers(row.words, reason)) {
        row.is_used = true;
        return row.rule;
      }
    }
    return {};
  }

  size_t note_number(const std::string& note) {
    const auto [found, is_new] = numbers_.emplace(note, numbers_.size() + 1);
    if (is_new) notes_.push_back(note);
    return found->second;
  }

  void print_notes() const {
    std::cout << '\n';
    for (size_t i = 0; i < notes_.size(); ++i) std::cout << fmt::format("{}. {}\n", i + 1, notes_[i]);
  }

  void check_list() {
    for (const Allowed& row : allowed_) {
      if (!row.is_used) failures_.push_back("refusals.txt has a row that nothing needs: " + row.line);
    }
  }

  std::vector<Allowed> allowed_;
  const std::string only_client_;
  const std::string only_target_;
  std::map<std::string, size_t> numbers_;
  std::vector<std::string> notes_;
  std::map<Outcome, size_t> counts_;
  std::vector<std::string> failures_;
  size_t cells_ = 0;
  size_t refused_by_rule_ = 0;
};

}  // namespace
}  // namespace weir::conformance

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: weir_conformance REFUSALS [CLIENT TARGET]\n";
    return 2;
  }
  const std::string client = argc == 4 ? argv[2] : "";
  const std::string target = argc == 4 ? argv[3] : "";
  return weir::conformance::Matrix(weir::conformance::read_allowed(argv[1]), client, target).run();
}
