// Every recorded answer with citations, for clients of every dialect, whole and streamed: each citation
// arrives, or is reported.
#include <array>
#include <gtest/gtest.h>
#include <iostream>
#include <set>

#include "codec/answer_losses.h"
#include "codec/anthropic_test_util.h"
#include "codec/citations.h"
#include "codec/codecs.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::Recording;

struct Folder {
  std::string_view path;
  Dialect dialect;
};
constexpr std::array kFolders = {
    Folder{"vercel-ai/anthropic/", Dialect::anthropic_messages},
    Folder{"llm-anthropic/", Dialect::anthropic_messages},
    Folder{"vercel-ai/openai/src/responses/", Dialect::openai_responses},
    Folder{"vercel-ai/azure/", Dialect::openai_responses},
    Folder{"vercel-ai/xai/src/responses/", Dialect::openai_responses},
    Folder{"vercel-ai/perplexity/", Dialect::openai_chat},
    Folder{"gemini-vertexai/", Dialect::gemini},
    Folder{"llm-gemini/", Dialect::gemini},
};

struct Cited {
  std::string file;
  Dialect dialect;
  std::vector<Event> events;
};

std::vector<Event> events_of(const ProviderCodec& codec, const Recording& recording) {
  if (recording.body.starts_with("data:") || recording.body.starts_with("event:")) {
    const auto decoder = codec.stream_decoder({});
    return test::decode_whole(*decoder, recording.body).events;
  }
  const Headers none;
  const auto events = codec.decode_answer({.headers = &none, .body = recording.body}, {});
  return events ? *events : std::vector<Event>{};
}

std::vector<const Delta*> citations_in(const std::vector<Event>& events) {
  std::vector<const Delta*> found;
  for (const Event& event : events) {
    const auto* delta = std::get_if<Delta>(&event);
    if (delta && delta->kind == DeltaKind::citation) found.push_back(delta);
  }
  return found;
}

std::vector<Cited> all_cited() {
  std::vector<Cited> all;
  for (const Folder& folder : kFolders) {
    for (const Recording& recording : test::recordings(folder.path)) {
      std::vector<Event> events = events_of(provider_codec(folder.dialect), recording);
      if (events.empty() || !std::holds_alternative<End>(events.back())) continue;
      if (!citations_in(events).empty()) all.push_back({recording.file, folder.dialect, std::move(events)});
    }
  }
  return all;
}

// What the citations of an answer name: their pages, titles, words and files.
std::set<std::string> names_in(Dialect dialect, const std::vector<Event>& events) {
  std::set<std::string> names;
  for (const Delta* delta : citations_in(events)) {
    const Dialect said = dialect == Dialect::bedrock_invoke ? Dialect::anthropic_messages : dialect;
    EXPECT_EQ(delta->dialect, said);
    for (const Citation& citation : read_citations(delta->dialect, delta->text)) {
      for (const std::string& name : {citation.url, citation.title, citation.quote, citation.file_id})
        names.insert(name);
    }
  }
  return names;
}

// As a copy has it: recordings of whole answers are laid out for the eye.
std::string in_one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

// Each citation of the answer is among the names, is copied into the body, or its loss was told. Gives how
// many arrived.
size_t expect_all_told(const Cited& cited, Dialect client, const std::set<std::string>& names,
                       std::string_view body) {
  size_t arrived = 0;
  for (const Delta* delta : citations_in(cited.events)) {
    const Fidelity losses = AnswerLosses(client, Request(Chat{})).of(*delta);
    for (const Citation& citation : read_citations(delta->dialect, delta->text)) {
      const std::string& name = !citation.url.empty()     ? citation.url
                                : !citation.title.empty() ? citation.title
                                                          : citation.quote;
      const bool is_there = names.contains(name) || body.find(in_one_line(delta->text)) != body.npos;
      EXPECT_TRUE(is_there || losses.has_warnings()) << delta->text;
      arrived += is_there;
    }
  }
  return arrived;
}

TEST(CitationsReplay, ArriveInEveryDialectOrAreReported) {
  const std::vector<Cited> all = all_cited();
  if (all.empty()) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  size_t arrived = 0;
  size_t said = 0;
  for (const Cited& cited : all) {
    for (size_t i = 0; i < kDialectCount; ++i) {
      const Dialect client = static_cast<Dialect>(i);
      SCOPED_TRACE(fmt::format("{} for {}", cited.file, to_string(client)));
      Chat chat;
      chat.includes_usage = true;
      const Request request = chat;
      const AnswerContext context = test::answer_context(request);
      const ProviderCodec& back = provider_codec(client);

      const Headers none;
      const ClientReply reply =
          chat_client_codec(client, false).encode_answer(test::fold(cited.events), context);
      const auto whole = back.decode_answer({.headers = &none, .body = reply.body}, {});
      ASSERT_TRUE(whole) << whole.error().message;
      arrived += expect_all_told(cited, client, names_in(client, *whole), reply.body);

      const auto encoder = chat_client_codec(client, true).stream_encoder(context);
      const auto decoder = back.stream_decoder({});
      const std::string stream = test::encode_stream(*encoder, cited.events);
      const test::Decoded streamed = test::decode_whole(*decoder, stream);
      EXPECT_EQ(streamed.error, "");
      expect_all_told(cited, client, names_in(client, streamed.events), stream);
      EXPECT_EQ(citations_in(streamed.events).size(), citations_in(*whole).size());
      for (const Delta* delta : citations_in(cited.events))
        said += read_citations(delta->dialect, delta->text).size();
    }
  }
  std::cerr << fmt::format(
      "{} recorded answers with citations; {} of {} citations arrive, the rest is reported\n", all.size(),
      arrived, said);
  EXPECT_GT(all.size(), 20U);
}

}  // namespace
}  // namespace weir
