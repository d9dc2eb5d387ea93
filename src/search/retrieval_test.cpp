// How well BM25 over our terms ranks two public collections with relevance judgements. The collections are
// not part of the repository: without them the tests say so and are skipped.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

#include "search/bm25.h"
#include "search/terms.h"

namespace weir {
namespace {

struct Collection {
  std::map<int, std::string> documents;
  std::map<int, std::string> queries;
  std::map<int, std::set<int>> relevant;  // by query
};

std::filesystem::path collections_dir() {
  const char* dir = std::getenv("WEIR_SHARED_DIR");
  return std::filesystem::path(dir != nullptr ? dir : "../shared") / "collections";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What stands between the next <tag> and </tag> from `at` on; moves `at` behind it, to npos at the end.
std::string_view next_element(std::string_view xml, std::string_view tag, size_t& at) {
  const std::string opening = fmt::format("<{}>", tag);
  const size_t start = xml.find(opening, at);
  const size_t end = start == xml.npos ? xml.npos : xml.find(fmt::format("</{}>", tag), start);
  at = end;
  return end == xml.npos ? std::string_view()
                         : xml.substr(start + opening.size(), end - start - opening.size());
}

Collection load_cranfield(const std::filesystem::path& dir) {
  Collection collection;
  const std::string documents = read_file(dir / "cran.all.1400.xml");
  for (size_t at = 0;;) {
    const std::string_view document = next_element(documents, "doc", at);
    if (at == documents.npos) break;
    size_t inside = 0;
    const int number = std::atoi(std::string(next_element(document, "docno", inside)).c_str());
    std::string text(next_element(document, "title", inside));
    inside = 0;
    text += "\n" + std::string(next_element(document, "text", inside));
    collection.documents[number] = text;
  }
  // The judgements number the queries by their position in the file, not by their <num>.
  const std::string queries = read_file(dir / "cran.qry.xml");
  for (size_t at = 0;;) {
    const std::string_view query = next_element(queries, "title", at);
    if (at == queries.npos) break;
    collection.queries[static_cast<int>(collection.queries.size()) + 1] = std::string(query);
  }
  std::ifstream judgements(dir / "cranqrel.trec.txt");
  for (int query = 0, zero = 0, document = 0, grade = 0; judgements >> query >> zero >> document >> grade;) {
    if (grade > 0) collection.relevant[query].insert(document);
  }
  return collection;
}

// SMART format: .I number, then fields .T .A .W .X, each on lines of its own. Titles and texts are taken.
std::map<int, std::string> load_smart(const std::filesystem::path& path) {
  std::map<int, std::string> texts;
  std::istringstream lines(read_file(path));
  int number = 0;
  bool is_taken = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".I ")) {
      number = std::atoi(line.c_str() + 3);
      texts[number];
      is_taken = false;
    } else if (line.size() >= 2 && line[0] == '.' && line[1] >= 'A' && line[1] <= 'Z') {
      is_taken = line[1] == 'T' || line[1] == 'W';
    } else if (is_taken) {
      texts[number] += line + "\n";
    }
  }
  return texts;
}

Collection load_cisi(const std::filesystem::path& dir) {
  Collection collection{load_smart(dir / "CISI.ALL"), load_smart(dir / "CISI.QRY"), {}};
  std::istringstream lines(read_file(dir / "CISI.REL"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    int query = 0, document = 0;
    if (fields >> query >> document) collection.relevant[query].insert(document);
  }
  return collection;
}

struct Quality {
  double ndcg10 = 0;
  double mean_average_precision = 0;
  size_t queries = 0;
};

Quality measure(const Collection& collection) {
  Bm25Index index;
  std::vector<int> numbers;
  for (const auto& [number, text] : collection.documents) {
    index.add(index_terms(text));
    numbers.push_back(number);
  }
  Quality quality;
  for (const auto& [query, relevant] : collection.relevant) {
    const auto hits = index.search(index_terms(collection.queries.at(query)), 1000);
    double gain = 0, ideal = 0, precision_sum = 0;
    size_t found = 0;
    for (size_t rank = 0; rank < hits.size(); ++rank) {
      if (!relevant.contains(numbers[hits[rank].text])) continue;
      ++found;
      precision_sum += static_cast<double>(found) / static_cast<double>(rank + 1);
      if (rank < 10) gain += 1 / std::log2(static_cast<double>(rank) + 2);
    }
    for (size_t rank = 0; rank < std::min<size_t>(10, relevant.size()); ++rank) {
      ideal += 1 / std::log2(static_cast<double>(rank) + 2);
    }
    quality.ndcg10 += gain / ideal;
    quality.mean_average_precision += precision_sum / static_cast<double>(relevant.size());
    ++quality.queries;
  }
  quality.ndcg10 /= static_cast<double>(quality.queries);
  quality.mean_average_precision /= static_cast<double>(quality.queries);
  return quality;
}

void print(std::string_view name, const Quality& quality) {
  fmt::print("{}: {} queries, nDCG@10 {:.4f}, MAP {:.4f}\n", name, quality.queries, quality.ndcg10,
             quality.mean_average_precision);
}

TEST(Retrieval, RanksCranfieldWell) {
  const auto dir = collections_dir() / "cranfield";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << dir << " is absent";
  const Collection collection = load_cranfield(dir);
  ASSERT_EQ(collection.documents.size(), 1400u);
  ASSERT_EQ(collection.queries.size(), 225u);
  const Quality quality = measure(collection);
  print("Cranfield", quality);
  EXPECT_GT(quality.ndcg10, 0.38);
  EXPECT_GT(quality.mean_average_precision, 0.305);
}

TEST(Retrieval, RanksCisiWell) {
  const auto dir = collections_dir() / "cisi";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << dir << " is absent";
  const Collection collection = load_cisi(dir);
  ASSERT_EQ(collection.documents.size(), 1460u);
  const Quality quality = measure(collection);
  print("CISI", quality);
  EXPECT_EQ(quality.queries, 76u);
  EXPECT_GT(quality.ndcg10, 0.40);
  EXPECT_GT(quality.mean_average_precision, 0.22);
}

}  // namespace
}  // namespace weir
