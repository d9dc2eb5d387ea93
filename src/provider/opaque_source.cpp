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

Task<const EventBatch*> OpaqueSource::next(Scope&) {
  batch_.clear();
  batch_.is_raw = true;
  if (failure_) co_return fail(std::move(*failure_));
  while (batch_.events.empty() && batch_.raw.empty()) {
    Result<void> came = co_await read();
    if (came) continue;
    if (!events_ || !events_->is_within_event()) co_return std::move(came).fail();
    failure_ = std::make_unique<Error>(std::move(came).error());
    batch_.raw = "\n\n";
  }
  co_return &batch_;
}

Task<void> OpaqueSource::read() {
  if (has_begun_) {
    scope_->set_deadline(scope_->now() + idle_, ErrorKind::upstream_timeout,
                         "the provider sent nothing for longer than its idle timeout");
  }
  const std::string_view bytes = CO_TRY(co_await response_->read(*scope_));
  has_begun_ = true;
  // While the caller is busy with the batch nobody reads: a client's slowness is not the provider's.
  scope_->clear_deadline();
  if (!bytes.empty()) CO_TRY(meter_->feed(bytes, batch_.events));
  const bool is_last = bytes.empty() || response_->is_complete();
  if (is_last) CO_TRY(meter_->finish(batch_.events));
  batch_.raw = pass(bytes, is_last);
  co_return {};
}

std::string_view OpaqueSource::pass(std::string_view bytes, bool is_last) {
  if (!events_) return bytes;
  return is_last ? events_->finish(bytes) : events_->feed(bytes);
}

}  // namespace weir
