// The table of the data plane's endpoints: method, path, what answers. Base paths (/openai, /anthropic, ...)
// are stripped before the look-up, so that every SDK finds its own whatever base URL it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "llm/codec.h"

namespace weir {

enum class Action : uint8_t {
  model_call,
  list_models,
  get_model,
  capabilities,
  get_response,
  list_input_items,
  cancel_response,
  delete_response,
  health
};

// How the body of a model call may come.
enum class BodyForm : uint8_t { json, multipart, json_or_multipart };

struct EndpointRow {
  std::string_view method;
  // Segments are compared as they were sent. '*' stands for any one segment, at the end for one or more.
  // '{model}' stands for one segment, decoded after the split (an ARN holds %2F), at the end for one or more;
  // it may have an action behind it: "{model}:generateContent". '{id}' stands for one segment.
  std::string_view path;
  Action action;
  const ClientCodec& (*codec)();  // of model calls; nullptr for the others
  BodyForm body = BodyForm::json;
};

struct EndpointMatch {
  const EndpointRow* row = nullptr;
  std::string rest;   // what '{id}', or a '*' at the end, stood for, percent-decoded
  std::string model;  // what '{model}' stood for, percent-decoded
};

// The whole table, in the order in which it is searched.
std::span<const EndpointRow> endpoint_rows();

// Errors: not_found with the nearest path, method_not_allowed with `detail` holding the value for Allow. GET
// rows answer HEAD too.
Result<EndpointMatch> find_endpoint(std::string_view method, std::string_view path);
// The dialect whose error body a caller of that path expects: by the path, else by the headers that only one
// vendor's SDKs send.
const ClientCodec& codec_for_errors(std::string_view path, const Headers& headers);
// The methods that the path has, for Allow and for preflight answers; empty when there is no such path.
std::string allowed_methods(std::string_view path);

}  // namespace weir
