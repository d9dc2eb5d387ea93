// What an answer cost: usage priced by a row of the catalog, in integers of nano-dollars.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "llm/usage.h"
#include "provider/catalog.h"

namespace weir {

// The price that a request with so many input tokens is billed at: a tier's, or the base price.
const Price& price_for_input(const ModelRow& row, int64_t input_tokens);

// The form of the images that a request asked for, in its own words; empty: it did not say.
struct ImageForm {
  std::string_view size{};
  std::string_view quality{};
};

// Of an image of that form; what the request did not say is as in the first of the row's prices by form.
// nullopt: no price is known for it.
std::optional<int64_t> price_of_image(const ModelRow& row, const ImageForm& form);

// Nano-dollars for one request. Exact: the buckets are summed in whole parts of a nano-dollar and rounded up
// once. nullopt (unknown) when a bucket that is not zero has no price, when the row's fee for a request is
// unknown, when the usage reports nothing, or when a count is negative or the sum does not fit.
std::optional<int64_t> cost(const ModelRow& row, const Usage& usage, const ImageForm& form = {});

}  // namespace weir
