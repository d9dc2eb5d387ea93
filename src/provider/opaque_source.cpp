#include "provider/opaque_source.h"

#include "base/limits.h"

namespace weir {

OpaqueSource::OpaqueSource(std::unique_ptr<Scope> scope, std::unique_ptr<ClientResponse> response,
                           std::unique_ptr<StreamDecoder> meter, AnswerHead head, Duration idle)
    : scope_(std::move(scope)),
      response_(std::move(response)),
      meter_(std::move(meter)),
      head_(std::move(head)),
      idle_(idle) {
  if (head_.content_type.starts_with("text/event-stream")) events_.emplace(kSseEventBytesMax);
}

Result<const EventBatch*> OpaqueSource::take(Scope&) {
  batch_.clear();
  batch_.is_raw = true;
  if (failure_) return fail(std::move(*failure_));
  while (batch_.events.empty() && batch_.raw.empty()) {
    Result<bool> came = read();
    if (came && !*came) return nullptr;
    if (came) continue;
    if (!events_ || !events_->is_within_event()) return std::move(came).fail();
    failure_ = std::make_unique<Error>(std::move(came).error());
    batch_.raw = "\n\n";
  }
  return &batch_;
}

Task<void> OpaqueSource::wait(Scope&) {
  if (has_begun_) {
    scope_->set_deadline(scope_->now() + idle_, ErrorKind::upstream_timeout,
                         "the provider sent nothing for longer than its idle timeout");
  }
  return response_->wait(*scope_);
}

Result<bool> OpaqueSource::read() {
  const std::optional<std::string_view> bytes = TRY(response_->take());
  if (!bytes) {
    if (!scope_->is_cancelled()) return false;
    response_->hang_up();
    return fail(scope_->reason());
  }
  has_begun_ = true;
  // While the caller is busy with the batch nobody reads: a client's slowness is not the provider's.
  scope_->clear_deadline();
  if (!bytes->empty()) TRY(meter_->feed(*bytes, batch_.events));
  const bool is_last = bytes->empty() || response_->is_complete();
  if (is_last) TRY(meter_->finish(batch_.events));
  batch_.raw = pass(*bytes, is_last);
  return true;
}

std::string_view OpaqueSource::pass(std::string_view bytes, bool is_last) {
  if (!events_) return bytes;
  return is_last ? events_->finish(bytes) : events_->feed(bytes);
}

}  // namespace weir
