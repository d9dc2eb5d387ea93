#include "codec/raw_metadata.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

struct Edited {
  std::string body;
  std::string report;
};

Edited edited(std::string_view body, void (*edit)(RawMetadata&, std::vector<JsonEdit>&, Fidelity&)) {
  const JsonDoc doc = JsonDoc::parse(std::string(body)).value();
  RawMetadata metadata(doc.root()["metadata"]);
  std::vector<JsonEdit> edits;
  Fidelity fidelity;
  edit(metadata, edits, fidelity);
  return {splice(body, edits), fidelity.header_value()};
}

void keep_user(RawMetadata& metadata, std::vector<JsonEdit>& edits, Fidelity& fidelity) {
  metadata.keep_only("user_id", edits, fidelity);
}
void texts(RawMetadata& metadata, std::vector<JsonEdit>& edits, Fidelity& fidelity) {
  metadata.make_texts(edits, fidelity);
}

TEST(RawMetadata, KeepsOneMemberForAVendorThatTakesNoOther) {
  const Edited both =
      edited(R"({"metadata":{"tenant_id":"t","user_id":"u","level":{"a":1}},"x":1})", keep_user);
  EXPECT_EQ(both.body, R"({"metadata":{"user_id":"u"},"x":1})");
  EXPECT_EQ(both.report, R"(dropped;/metadata/tenant_id;t>, dropped;/metadata/level;{"a":1}>)");
  EXPECT_EQ(edited(R"({"metadata":{"tenant_id":"t"}})", keep_user).body, R"({"metadata":{}})");
}

TEST(RawMetadata, MakesTextsOfOtherValues) {
  const Edited made = edited(R"({"metadata":{"a":"t","n":5,"m":{"k":"v"},"z":null}})", texts);
  EXPECT_EQ(made.body, R"({"metadata":{"a":"t","n":"5","m":"{\"k\":\"v\"}","z":"null"}})");
  EXPECT_EQ(made.report, R"(coerced_string;/metadata/n;5>, coerced_string;/metadata/m;{"k":"v"}>, )"
                         R"(coerced_string;/metadata/z;null>)");
}

TEST(RawMetadata, LeavesWhatTheVendorTakesAsItIs) {
  for (const std::string_view body : {R"({"metadata": {"user_id": null}})", R"({"metadata":{}})",
                                      R"({"metadata":null})", R"({"metadata":["t"]})", R"({"x":1})"}) {
    EXPECT_EQ(edited(body, keep_user).body, body);
    EXPECT_EQ(edited(body, keep_user).report, "");
  }
  for (const std::string_view body : {R"({"metadata": {"a": "t"}})", R"({"metadata":[5]})"})
    EXPECT_EQ(edited(body, texts).body, body);
}

}  // namespace
}  // namespace weir
