// A small reader of XML answers: the texts of a document by the path of their element. For the answers of
// AWS's query APIs, which know no mixed content, no entity but the five of XML and no DTD; whatever else XML
// allows is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

struct XmlField {
  std::string path;  // of local names from the root: "ErrorResponse/Error/Code"
  std::string text;  // decoded, without white space at its ends
};

inline constexpr size_t kXmlDepthMax = 16;
inline constexpr size_t kXmlFieldsMax = 256;

// The elements without children, in their order. Errors: bad_request saying what is wrong, for what is not
// such a document, is nested deeper than kXmlDepthMax or has more than kXmlFieldsMax elements.
Result<std::vector<XmlField>> read_xml_fields(std::string_view text);

// The text at that path; empty when there is none.
std::string_view xml_text(const std::vector<XmlField>& fields, std::string_view path);

}  // namespace weir
