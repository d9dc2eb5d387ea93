// Runs AWS's published Signature Version 4 cases from the folder shared beside the repository (or
// WEIR_SHARED_DIR).
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/sigv4.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

fs::path vectors_folder() {
  const char* const shared = std::getenv("WEIR_SHARED_DIR");
  return fs::path(shared != nullptr ? shared : "../shared") / "vectors" / "aws-sigv4" / "v4";
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string read_line_text(const fs::path& file) {
  std::string text = read(file);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// An HTTP request as the cases write it: LF lines, folded headers, "METHOD TARGET HTTP/1.1" with spaces in
// the target.
struct CaseRequest {
  std::string text;
  std::string body_hash;
  SigV4Request request;

  explicit CaseRequest(std::string source) : text(std::move(source)) {
    const std::string_view all = text;
    const size_t head_end = std::min(all.find("\n\n"), all.size());
    const std::string_view body = all.substr(std::min(head_end + 2, all.size()));
    body_hash = sha256_hex(body);
    std::string_view head = all.substr(0, head_end);
    const std::string_view first = head.substr(0, head.find('\n'));
    const size_t target_start = first.find(' ') + 1;
    const std::string_view target = first.substr(target_start, first.rfind(' ') - target_start);
    const size_t mark = std::min(target.find('?'), target.size());
    request.method = first.substr(0, target_start - 1);
    request.path = target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    request.body_hash = body_hash;
    head.remove_prefix(std::min(first.size() + 1, head.size()));
    while (!head.empty()) {
      size_t end = std::min(head.find('\n'), head.size());
      while (end + 1 < head.size() && head[end + 1] == ' ')
        end = std::min(head.find('\n', end + 1), head.size());
      const std::string_view line = head.substr(0, end);
      request.headers.push_back({line.substr(0, line.find(':')), line.substr(line.find(':') + 1)});
      head.remove_prefix(std::min(end + 1, head.size()));
    }
  }
  CaseRequest(const CaseRequest&) = delete;
  CaseRequest& operator=(const CaseRequest&) = delete;
};

int64_t unix_seconds_of(std::string_view iso) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::sscanf(std::string(iso).c_str(), "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second);
  const std::chrono::sys_days days = std::chrono::year(year) / month / day;
  return days.time_since_epoch().count() * 86'400LL + hour * 3600 + minute * 60 + second;
}

class AwsCase {
 public:
  explicit AwsCase(fs::path folder)
      : folder_(std::move(folder)),
        context_(JsonDoc::parse(read(folder_ / "context.json")).value()),
        request_(read(folder_ / "request.txt")) {
    const JsonValue root = context_.root();
    const JsonValue keys = root["credentials"];
    credentials_ = {std::string(keys["access_key_id"].as_string().value()),
                    Secret::copy_of(keys["secret_access_key"].as_string().value()),
                    Secret::copy_of(keys["token"].string_or(""))};
    options_.region = root["region"].as_string().value();
    options_.service = root["service"].as_string().value();
    options_.unix_seconds = unix_seconds_of(root["timestamp"].as_string().value());
    options_.path_rules.normalizes = root["normalize"].as_bool().value();
    options_.adds_body_hash = root["sign_body"].as_bool().value();
    options_.signs_session_token = !root["omit_session_token"].bool_or(false);
    options_.expires_seconds = root["expiration_in_seconds"].as_int().value();
  }

  void check_header_form() const {
    const SigV4Signed result = sigv4_sign_headers(request_.request, credentials_, options_);
    EXPECT_EQ(result.canonical_request, read_line_text(folder_ / "header-canonical-request.txt"));
    EXPECT_EQ(result.string_to_sign, read_line_text(folder_ / "header-string-to-sign.txt"));
    EXPECT_EQ(result.signature, read_line_text(folder_ / "header-signature.txt"));
    const CaseRequest expected(read(folder_ / "header-signed-request.txt"));
    std::vector<SigV4Header> headers = request_.request.headers;
    for (const SigV4Addition& added : result.headers) headers.push_back({added.name, added.value});
    ASSERT_EQ(headers.size(), expected.request.headers.size());
    for (const SigV4Header& header : expected.request.headers) {
      EXPECT_TRUE(std::any_of(headers.begin(), headers.end(), [&header](const SigV4Header& ours) {
        return std::string_view(ours.value) == header.value &&
               std::equal(ours.name.begin(), ours.name.end(), header.name.begin(), header.name.end(),
                          [](char a, char b) { return std::tolower(a) == std::tolower(b); });
      })) << header.name;
    }
    check_verifies(expected.request);
  }

  void check_query_form() const {
    const SigV4Signed result = sigv4_sign_query(request_.request, credentials_, options_);
    EXPECT_EQ(result.canonical_request, read_line_text(folder_ / "query-canonical-request.txt"));
    EXPECT_EQ(result.string_to_sign, read_line_text(folder_ / "query-string-to-sign.txt"));
    EXPECT_EQ(result.signature, read_line_text(folder_ / "query-signature.txt"));
    const CaseRequest expected(read(folder_ / "query-signed-request.txt"));
    EXPECT_EQ(sigv4_canonical_query(result.query), sigv4_canonical_query(expected.request.query));
    // A token added to the query after signing cannot be told from a signed one, so only the others verify.
    if (options_.signs_session_token) check_verifies(expected.request);
  }

 private:
  void check_verifies(const SigV4Request& request) const {
    const Result<SigV4Claim> claim = sigv4_parse(request);
    ASSERT_TRUE(claim.has_value()) << claim.error().message;
    const SigV4VerifyOptions options{.unix_seconds = options_.unix_seconds,
                                     .path_rules = options_.path_rules};
    const Result<void> verified = sigv4_verify(request, *claim, credentials_.secret_access_key, options);
    EXPECT_TRUE(verified.has_value()) << verified.error().message;
    EXPECT_FALSE(sigv4_verify(request, *claim, Secret::copy_of("another secret"), options).has_value());
  }

  fs::path folder_;
  JsonDoc context_;
  CaseRequest request_;
  SigV4Credentials credentials_;
  SigV4Options options_;
};

TEST(SigV4PublishedCases, AllPassInHeaderAndQueryForm) {
  if (!fs::exists(vectors_folder())) GTEST_SKIP() << "no " << vectors_folder() << "; set WEIR_SHARED_DIR";
  int count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(vectors_folder())) {
    if (!entry.is_directory()) continue;
    SCOPED_TRACE(entry.path().filename().string());
    const AwsCase published(entry.path());
    published.check_header_form();
    published.check_query_form();
    ++count;
  }
  EXPECT_GE(count, 38);
}

}  // namespace
}  // namespace weir
