#include "provider/opaque_source.h"

namespace weir {

OpaqueSource::OpaqueSource(std::unique_ptr<Scope> scope, std::unique_ptr<ClientResponse> response,
                           std::unique_ptr<StreamDecoder> meter, AnswerHead head, Duration idle)
    : scope_(std::move(scope)),
      response_(std::move(response)),
      meter_(std::move(meter)),
      head_(std::move(head)),
      idle_(idle) {}

Task<const EventBatch*> OpaqueSource::next(Scope&) {
  batch_.clear();
  batch_.is_raw = true;
  if (has_begun_) {
    scope_->set_deadline(scope_->now() + idle_, ErrorKind::upstream_timeout,
                         "the provider sent nothing for longer than its idle timeout");
  }
  batch_.raw = CO_TRY(co_await response_->read(*scope_));
  has_begun_ = true;
  // While the caller is busy with the batch nobody reads: a client's slowness is not the provider's.
  scope_->clear_deadline();
  if (!batch_.raw.empty()) CO_TRY(meter_->feed(batch_.raw, batch_.events));
  if (batch_.raw.empty() || response_->is_complete()) CO_TRY(meter_->finish(batch_.events));
  co_return &batch_;
}

}  // namespace weir
