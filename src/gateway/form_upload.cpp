#include "gateway/form_upload.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/assert.h"
#include "base/limits.h"

namespace weir {
namespace {

constexpr size_t kPieceBytes = 64 * kKiB;
constexpr size_t kModelNameBytesMax = 256;
constexpr std::string_view kModelField = "model";

// Also what some servers read as a list of that name.
bool is_model(std::string_view name) {
  return name == kModelField || name.starts_with("model[");
}

}  // namespace

FormUpload::FormUpload(BodyReader& body, Head head)
    : body_(body),
      head_(std::move(head)),
      content_type_(multipart_content_type(head_.boundary)),
      reader_(head_.boundary),
      buffer_(std::make_unique_for_overwrite<char[]>(kPieceBytes)),
      model_(head_.model) {}

Task<void> FormUpload::open(Scope& scope) {
  if (head_.length && *head_.length > head_.bytes_max)
    co_return fail(ErrorKind::body_too_large,
                   fmt::format("the form is larger than {} bytes", head_.bytes_max));
  const bool is_small = head_.length && *head_.length <= kStreamWindowBytes;
  while (!is_at_end_ && (is_small || model_.empty())) {
    CO_TRY(co_await receive(scope));
    if (!model_.empty() || held_.size() <= kFormHeldBytesMax) continue;
    co_return fail(
        ErrorKind::body_too_large,
        fmt::format("the form does not name its model within its first {} MiB: put the field `model` "
                    "before the file, or name it in the header x-weir-model or the query ?model=",
                    kFormHeldBytesMax / kMiB),
        std::string(kModelField));
  }
  if (model_.empty()) {
    co_return fail(
        ErrorKind::bad_request,
        "model is missing: name it in the form's field `model`, the header x-weir-model or the query "
        "?model=",
        std::string(kModelField));
  }
  is_read_ = is_at_end_;
  co_return {};
}

// Reads once and takes what came apart: to the end of what is held, or of what passes.
Task<void> FormUpload::receive(Scope& scope) {
  const size_t size = CO_TRY(co_await body_.read_some(scope, {buffer_.get(), kPieceBytes}));
  if (size == 0) {
    is_at_end_ = true;
    CO_TRY(reader_.finish());
    co_return {};
  }
  received_ += size;
  if (received_ > head_.bytes_max)
    co_return fail(ErrorKind::body_too_large,
                   fmt::format("the form is larger than {} bytes", head_.bytes_max));
  if (!is_passing_) CO_TRY(body_.hold(held_.size() + size));
  std::string_view bytes(buffer_.get(), size);
  for (;;) {
    const std::optional<MultipartReader::Piece> piece = CO_TRY(reader_.next(bytes));
    if (!piece) co_return {};
    CO_TRY(take(*piece));
  }
}

void FormUpload::put(std::string_view bytes) {
  (is_passing_ ? passing_ : held_) += bytes;
}

// Where the model's name belongs.
void FormUpload::put_model() {
  if (is_passing_) {
    passing_ += wire_model_;
  } else {
    model_at_ = held_.size();
  }
}

Result<void> FormUpload::take(const MultipartReader::Piece& piece) {
  switch (piece.kind) {
    case MultipartReader::PieceKind::head:
      return take_head(piece.bytes);
    case MultipartReader::PieceKind::data:
      if (!is_in_model_) return put(piece.bytes), Result<void>();
      if (value_.size() + piece.bytes.size() > kModelNameBytesMax)
        return fail(ErrorKind::bad_request, "the name of the model is too long", std::string(kModelField));
      value_ += piece.bytes;
      return {};
    case MultipartReader::PieceKind::close:
      return take_end(piece.bytes);
    case MultipartReader::PieceKind::tail:
      put(piece.bytes);
      return {};
  }
  return {};
}

Result<void> FormUpload::take_head(std::string_view bytes) {
  TRY(end_model());
  put(bytes);
  const MultipartReader::Part& part = reader_.part();
  if (!is_model(part.name)) return {};
  // A server that takes the last of two would be asked for a model that nobody checked.
  if (has_field_ || part.is_file || part.name != kModelField)
    return fail(ErrorKind::bad_request, "model is one field of text, given once", std::string(kModelField));
  has_field_ = true;
  is_in_model_ = true;
  put_model();
  return {};
}

Result<void> FormUpload::take_end(std::string_view bytes) {
  TRY(end_model());
  if (!has_field_ && !model_.empty()) {  // it was named beside the form
    put(fmt::format("\r\n--{}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n", head_.boundary));
    put_model();
  }
  put(bytes);
  return {};
}

Result<void> FormUpload::end_model() {
  if (!std::exchange(is_in_model_, false)) return {};
  const auto is_visible = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; };
  if (value_.empty() || !std::ranges::all_of(value_, is_visible))
    return fail(ErrorKind::bad_request, "the form's field `model` is not the name of a model",
                std::string(kModelField));
  if (model_.empty()) model_ = value_;
  return {};
}

std::optional<uint64_t> FormUpload::size() const {
  if (is_read_) return held_size();
  // The length of what the form calls the model is not known yet.
  if (!head_.length || !head_.model.empty()) return std::nullopt;
  return *head_.length - model_.size() + wire_model_.size();
}

void FormUpload::restart() {
  WEIR_ASSERT(can_restart(), "what has passed by is gone");
  sent_ = 0;
}

// What is held, in pieces: the model's name is one of its own.
std::string_view FormUpload::held_piece() {
  std::string_view rest;
  const size_t model_at = model_at_.value_or(held_.size());
  if (sent_ < model_at) {
    rest = std::string_view(held_).substr(sent_, model_at - sent_);
  } else if (model_at_ && sent_ < model_at + wire_model_.size()) {
    rest = std::string_view(wire_model_).substr(sent_ - model_at);
  } else {
    rest = std::string_view(held_).substr(sent_ - (model_at_ ? wire_model_.size() : 0));
  }
  rest = rest.substr(0, kPieceBytes);
  sent_ += rest.size();
  return rest;
}

Task<std::string_view> FormUpload::read(Scope& scope) {
  for (;;) {
    if (!is_passing_ && sent_ < held_size()) co_return held_piece();
    if (is_at_end_) co_return std::string_view();
    // As much as fits a window stays here for another attempt; beyond that nothing does.
    if (!is_passing_ && held_.size() + kPieceBytes > kStreamWindowBytes) {
      is_passing_ = true;
      held_ = std::string();
    }
    passing_.clear();
    CO_TRY(co_await receive(scope));
    is_read_ = is_at_end_ && !is_passing_;
    if (!passing_.empty()) co_return std::string_view(passing_);
  }
}

}  // namespace weir
