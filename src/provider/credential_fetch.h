// What the sources of credentials share: one bounded HTTP exchange, and the few forms in which answers come.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "io/headers.h"
#include "io/http.h"
#include "provider/credential.h"

namespace weir {

// The answer of a token endpoint, and a file of credentials.
inline constexpr size_t kCredentialBytesMax = 256 * kKiB;

struct CredentialRequest {
  std::string what;  // names the server in messages: "STS", "the metadata server"
  Url url;
  std::string method = "GET";
  Headers headers = {};
  std::string body = {};
};
struct CredentialReply {
  int status = 0;
  std::string body;
};

// The answer, whatever its status. Errors: upstream_auth for a server that cannot be reached or sends more
// than kCredentialBytesMax; the scope's reason.
Task<CredentialReply> exchange_credential(Scope& scope, CredentialTools tools, CredentialRequest request);
// The same where only 2xx is good. Errors: also upstream_auth with the status, and the start of the answer
// for the log.
Task<std::string> fetch_credential_text(Scope& scope, CredentialTools tools, CredentialRequest request);

// "a=1&b=%20": the body of a form; its content type is application/x-www-form-urlencoded.
std::string form_of(const std::vector<std::pair<std::string_view, std::string_view>>& fields);
// A POST of that form.
CredentialRequest form_request(std::string what, Url url, std::string form);

// {"access_token", "expires_in"} of OAuth 2.0 (RFC 6749 section 5.1), also with expires_in as text. Errors:
// upstream_auth.
Result<Credential> parse_token_answer(std::string_view what, std::string body, int64_t wall_ns);
// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} of AWS's metadata servers. Errors: upstream_auth.
Result<Credential> parse_metadata_answer(std::string_view what, std::string body);
// "2026-11-25T12:00:00Z", also with a fraction of a second, as Unix seconds.
std::optional<int64_t> parse_utc_seconds(std::string_view text);

// A file of at most kCredentialBytesMax, without the white space around its text. Blocks. Errors:
// upstream_auth naming `what` (the setting), with the path in the detail alone.
Result<std::string> read_credential_file(std::string_view what, const std::string& path);
// The same from a core.
Task<std::string> load_credential_file(Scope& scope, CredentialTools tools, std::string what,
                                       std::string path);

// ChosenSource::identity of these parts: they may be secret, the result is not.
std::string identity_of(const std::vector<std::string_view>& parts);

// "host" or "host:port", as a client writes it into Host.
std::string authority_of(const Origin& origin);

// A variable of the environment; empty when not set.
std::string variable(const std::map<std::string, std::string>& environment, const std::string& name);

}  // namespace weir
