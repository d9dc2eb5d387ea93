// Any path, query and header: canonical forms obey their grammar and are stable, what was signed verifies in
// both forms, and no authorization text breaks the parser.
#include "base/assert.h"
#include "base/crypto.h"
#include "base/sigv4.h"

namespace weir {
namespace {

constexpr int64_t kNow = 1'795'167'181;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// Unreserved characters, the ones given, and % with two upper-case digits.
bool is_canonical(std::string_view text, std::string_view also) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      if (!is_unreserved(text[at]) && also.find(text[at]) == std::string_view::npos) return false;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (at + 2 >= text.size() || kDigits.find(text[at + 1]) == std::string_view::npos ||
        kDigits.find(text[at + 2]) == std::string_view::npos) {
      return false;
    }
    at += 2;
  }
  return true;
}

// The input's next line, without its end.
std::string_view take_line(std::string_view& input) {
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

void check_canonical_forms(std::string_view path, std::string_view query) {
  for (const bool normalizes : {false, true}) {
    const std::string canonical = sigv4_canonical_path(path, {normalizes, true});
    WEIR_ASSERT(is_canonical(canonical, "/"), "a canonical path holds only encoded characters");
    if (normalizes) {
      WEIR_ASSERT(canonical.starts_with('/'), "a normal path is absolute");
      WEIR_ASSERT(canonical.find("//") == std::string::npos, "a normal path has no empty segment");
      const std::string once = sigv4_canonical_path(path, {true, false});
      WEIR_ASSERT(sigv4_canonical_path(once, {true, false}) == once, "encoding once is stable");
    }
  }
  const std::string canonical = sigv4_canonical_query(query);
  WEIR_ASSERT(is_canonical(canonical, "=&"), "a canonical query holds only encoded characters");
  WEIR_ASSERT(sigv4_canonical_query(canonical) == canonical, "a canonical query is stable");
}

void check_signs_and_verifies(SigV4Request request) {
  const SigV4Credentials credentials{"AKIDEXAMPLE", Secret::copy_of("secret"), Secret()};
  const SigV4Options options{.region = "us-east-1", .service = "bedrock", .unix_seconds = kNow};
  const std::string own_query(request.query);
  if (own_query.find("X-Amz-") == std::string::npos) {
    const SigV4Signed presigned = sigv4_sign_query(request, credentials, options);
    request.query = presigned.query;
    const Result<SigV4Claim> claim = sigv4_parse(request);
    WEIR_ASSERT(claim && sigv4_verify(request, *claim, credentials.secret_access_key, {.unix_seconds = kNow}),
                "a presigned request verifies");
    request.query = own_query;
    const SigV4Signed by_header = sigv4_sign_headers(request, credentials, options);
    for (const SigV4Addition& added : by_header.headers) request.headers.push_back({added.name, added.value});
    const Result<SigV4Claim> header_claim = sigv4_parse(request);
    WEIR_ASSERT(header_claim && sigv4_verify(request, *header_claim, credentials.secret_access_key,
                                             {.unix_seconds = kNow}),
                "a signed request verifies");
    request.method = "PATCH";
    WEIR_ASSERT(!sigv4_verify(request, *header_claim, credentials.secret_access_key, {.unix_seconds = kNow}),
                "another method does not verify");
  }
}

}  // namespace
}  // namespace weir

// Lines of the input: path, query, a header's value, the date, and the authorization.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view path = take_line(input);
  const std::string_view query = take_line(input);
  const std::string_view value = take_line(input);
  const std::string_view date = take_line(input);
  check_canonical_forms(path, query);
  const std::string body_hash = sha256_hex("");
  const SigV4Request request{"POST", path, query, {{"Host", "example.com"}, {"My-Header", value}}, body_hash};
  check_signs_and_verifies(request);

  SigV4Request foreign = request;
  foreign.headers.push_back({"x-amz-date", date});
  foreign.headers.push_back({"authorization", input});
  if (const Result<SigV4Claim> claim = sigv4_parse(foreign)) {
    const bool is_verified =
        sigv4_verify(foreign, *claim, Secret::copy_of("secret"), {.unix_seconds = kNow}).has_value();
    WEIR_ASSERT(!is_verified || !claim->access_key_id.empty(), "who has signed is known");
  }
  return 0;
}
