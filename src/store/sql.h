// SQL as repositories write it: statements with bound values, and rows. Written by hand, in the part of SQL
// that SQLite and PostgreSQL share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir {

struct SqlBlob {
  std::string bytes;
};

// What a user wrote or a model answered: stored sealed (base/seal.h) as a blob. The sealing happens on the
// store's own threads, never on a core.
struct SqlSealed {
  std::string context;     // of the key, e.g. "kept/turn/acme"
  std::string associated;  // what the row is, so that a sealed value cannot be moved to another one
  std::string plaintext;
};

using SqlValue = std::variant<std::monostate, int64_t, double, std::string, SqlBlob, SqlSealed>;
using SqlRow = std::vector<SqlValue>;

// `sql` is a literal with one '?' for each value: no text is ever built from values.
struct Statement {
  std::string_view sql;
  std::vector<SqlValue> values = {};
};

struct Query {
  Statement statement;
  // Not empty: every blob of the rows is opened with this key, and comes as SqlBlob.
  std::string seal_context = {};
  std::string seal_associated = {};
};

// One step of a folder's tables. Steps only go forward: a step that was released never changes, and an older
// binary must still work with what a newer one made.
struct Migration {
  int number = 0;  // 1, 2, 3, ...
  std::string_view sql;
};
// All steps of one folder, in order.
struct MigrationList {
  std::string_view folder;
  std::span<const Migration> steps;
};

// Of a row's column; a type other than the one asked for gives nothing (0, empty).
int64_t int_of(const SqlRow& row, size_t column);
std::string text_of(const SqlRow& row, size_t column);  // also a blob's bytes

}  // namespace weir
