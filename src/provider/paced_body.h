// PacedBody: a body on its way to a provider that has to take it within its idle timeout, and then to answer;
// how long the client takes to send it is not the provider's.
#pragma once

#include "io/http.h"
#include "io/scope.h"

namespace weir {

inline constexpr const char* kNoAnswerMessage = "the provider sent no answer within its answer timeout";

class PacedBody final : public RequestBody {
 public:
  // `attempt`: the scope in which the body is sent; its deadline is set between two reads. Both outlive it.
  // `answer`: how long the answer may take to begin, once all was read.
  PacedBody(RequestBody& inner, Scope& attempt, Duration idle, Duration answer)
      : inner_(inner), attempt_(attempt), idle_(idle), answer_(answer) {}

  std::optional<uint64_t> size() const override { return inner_.size(); }
  bool is_whole() const override { return inner_.is_whole(); }
  bool can_restart() const override { return inner_.can_restart(); }
  void restart() override { inner_.restart(); }
  Task<std::string_view> read(Scope& scope) override {
    attempt_.clear_deadline();
    const std::string_view piece = CO_TRY(co_await inner_.read(scope));
    if (piece.empty()) {
      attempt_.set_deadline(attempt_.now() + answer_, ErrorKind::upstream_timeout, kNoAnswerMessage);
    } else {
      attempt_.set_deadline(attempt_.now() + idle_, ErrorKind::upstream_timeout,
                            "the provider took nothing of the request for longer than its idle timeout");
    }
    co_return piece;
  }

 private:
  RequestBody& inner_;
  Scope& attempt_;
  const Duration idle_;
  const Duration answer_;
};

}  // namespace weir
