// FormUpload: a form on its way from the client to a provider. It is read as far as the name of the model,
// which picks the provider; the rest is read as the provider takes it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/multipart.h"
#include "llm/request.h"

namespace weir {

class FormUpload final : public ClientForm {
 public:
  // What the head of the request says.
  struct Head {
    std::string boundary;
    std::optional<uint64_t> length;  // content-length
    std::string model;               // named beside the form; empty: the form names it
    size_t bytes_max = 0;            // of the form
  };
  // `body` outlives it.
  FormUpload(BodyReader& body, Head head);

  // Reads until the model is known; a form that is no larger than a window is read to its end, so that it can
  // be sent as often as a call may be tried. REQUIRED before anything else. Errors: bad_request (no form, no
  // model, two of them), body_too_large for the form, or for what stands before its model; those of the body.
  Task<void> open(Scope& scope);

  std::string_view model() const override { return model_; }
  void set_model(std::string_view model) override { wire_model_ = model; }
  std::string_view content_type() const override { return content_type_; }

  // Whatever the client sends at once, or else a window of it, can be sent again.
  std::optional<uint64_t> size() const override;
  bool is_whole() const override { return is_read_; }
  bool can_restart() const override { return !is_passing_; }
  void restart() override;
  // Errors: as open(), and those of the body.
  Task<std::string_view> read(Scope& scope) override;

 private:
  Task<void> receive(Scope& scope);
  Result<void> take(const MultipartReader::Piece& piece);
  Result<void> take_head(std::string_view bytes);
  Result<void> take_end(std::string_view bytes);
  Result<void> end_model();
  void put(std::string_view bytes);
  void put_model();
  size_t held_size() const { return held_.size() + (model_at_ ? wire_model_.size() : 0); }
  std::string_view held_piece();

  BodyReader& body_;
  const Head head_;
  const std::string content_type_;
  MultipartReader reader_;
  std::unique_ptr<char[]> buffer_;
  uint64_t received_ = 0;
  std::string model_;
  std::string wire_model_;
  std::string value_;         // of the field `model`
  bool is_in_model_ = false;  // the part that is being read is that field
  bool has_field_ = false;    // it was there
  bool is_read_ = false;      // to the end, and all of it is held
  bool is_passing_ = false;   // nothing is held any more: what is read goes out at once
  bool is_at_end_ = false;
  std::string held_;                // from the start on, without the model's name
  std::optional<size_t> model_at_;  // where that stands in it
  size_t sent_ = 0;                 // of what is held, with the model's name
  std::string passing_;             // the piece that is given out when nothing is held
};

}  // namespace weir
