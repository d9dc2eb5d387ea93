// JsonMemberTap: finds one member of the object that a JSON text is, while the text passes by in pieces of
// any cut and nothing of it is kept. For answers that are large (images as base64) and of which only `usage`
// matters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// Copyable between feeds. The text is not validated: of what is no JSON, what comes out is no JSON either.
class JsonMemberTap {
 public:
  // `key` is compared as it stands in the text, and outlives the tap. A value longer than `bytes_max` is as
  // good as absent.
  JsonMemberTap(std::string_view key, size_t bytes_max) : key_(key), bytes_max_(bytes_max) {}

  void feed(std::string_view bytes);
  // The member's value, once all of it has passed; empty before, or when there is none. Of several the last.
  std::string_view value() const { return is_complete_ ? std::string_view(value_) : std::string_view(); }
  // How many objects the array that is the member's value holds, so far; however long it is.
  int64_t objects() const { return objects_; }

 private:
  const char* pass_string(const char* p, const char* end);
  void take_punctuation(char c);
  void keep(std::string_view bytes);
  void end_value();

  std::string_view key_;
  size_t bytes_max_;
  std::string value_;
  std::string name_;  // of the member of the root that is being read, as far as it can still be `key_`
  int64_t objects_ = 0;
  int depth_ = 0;
  bool is_in_string_ = false;
  bool is_escaped_ = false;  // the last byte was a backslash of a string
  bool expects_name_ = false;
  bool reads_name_ = false;  // the string is a name of the root
  bool is_member_ = false;   // the value that passes is of `key_`
  bool keeps_ = false;       // and is not too long
  bool is_complete_ = false;
  bool is_over_ = false;  // the root has ended, or is no object
};

}  // namespace weir
