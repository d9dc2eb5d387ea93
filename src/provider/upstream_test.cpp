// What a call to a provider is made of, before it is sent.
#include "provider/upstream.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"

namespace weir {
namespace {

// A request whose second message stands for an item that OpenAI keeps.
Request request_with_reference() {
  Chat chat;
  chat.model = "m";
  Message& user = chat.messages.emplace_back();
  user.content.emplace_back().body = TextBlock{"go on"};
  Message& assistant = chat.messages.emplace_back();
  assistant.role = Role::assistant;
  Block& reference = assistant.content.emplace_back();
  reference.body = UnknownBlock{.dialect = Dialect::openai_responses,
                                .type = "item_reference",
                                .raw = {R"({"type":"item_reference","id":"msg_1"})"},
                                .is_reference = true};
  reference.pointer = "/input/1";
  return chat;
}

Result<EncodedCall> encode_for(Dialect dialect, const Request& request) {
  Provider provider;
  provider.codec = &provider_codec(dialect);
  provider.kind.served.set(static_cast<size_t>(Endpoint::chat));
  provider.kind.dialect = dialect;
  const Capabilities capabilities;
  UpstreamCall call;
  call.provider = &provider;
  call.model = "m";
  call.capabilities = &capabilities;
  call.request = &request;
  return encode_call(call);
}

TEST(EncodeCall, RefusesAReferenceThatOnlyAnotherVendorCanLookUp) {
  const Request request = request_with_reference();
  for (const Dialect dialect : {Dialect::openai_chat, Dialect::anthropic_messages}) {
    const Result<EncodedCall> call = encode_for(dialect, request);
    ASSERT_FALSE(call) << to_string(dialect);
    EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(call.error().path, "/input/1");
    EXPECT_NE(call.error().message.find("send the item itself"), std::string::npos);
  }
}

TEST(EncodeCall, SendsAReferenceToTheVendorThatKeepsTheItem) {
  const Result<EncodedCall> call = encode_for(Dialect::openai_responses, request_with_reference());
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(call->wire.body.find(R"({"type":"item_reference","id":"msg_1"})"), std::string::npos);
}

Result<EncodedCall> encode_opaque(std::initializer_list<Endpoint> served) {
  Provider provider;
  provider.name = "p";
  provider.base_path = "/v1";
  provider.codec = &provider_codec(Dialect::openai_chat);
  for (const Endpoint endpoint : served) provider.kind.served.set(static_cast<size_t>(endpoint));
  ClientCall client;
  client.body = std::make_shared<const JsonDoc>(JsonDoc::parse(R"({"model":"a","prompt":"a weir"})").value());
  Opaque opaque;
  opaque.task = OpaqueTask::image_generation;
  opaque.model = "a";
  const Request request = opaque;
  const Capabilities capabilities;
  UpstreamCall call;
  call.provider = &provider;
  call.model = "gpt-image-1";
  call.capabilities = &capabilities;
  call.request = &request;
  call.raw = &client;
  return encode_call(call);
}

TEST(EncodeCall, SendsAnOpaqueCallToTheEndpointOfItsTask) {
  const Result<EncodedCall> call = encode_opaque({Endpoint::chat, Endpoint::image_generation});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->wire.path, "/v1/images/generations");
  EXPECT_EQ(call->wire.bytes(), R"({"model":"gpt-image-1","prompt":"a weir"})");
}

TEST(EncodeCall, NamesProviderEndpointAndModelWhereThereIsNoSuchEndpoint) {
  const Result<EncodedCall> call = encode_opaque({Endpoint::chat, Endpoint::image_edit});
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(call.error().message,
            "the provider p has no endpoint for image_generation, so it cannot serve gpt-image-1 that way: "
            "name a model of a provider that has one");
}

}  // namespace
}  // namespace weir
