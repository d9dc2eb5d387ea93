#include "api/endpoints.h"

#include <fmt/core.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "api/admin_plane.h"
#include "base/text.h"
#include "codec/anthropic.h"
#include "codec/gemini.h"
#include "codec/openai.h"

namespace weir {
namespace {

TEST(Endpoints, FindsAnEndpointUnderEachOfItsBasePaths) {
  for (const std::string_view path : {"/v1/messages", "/anthropic/v1/messages"}) {
    const Result<EndpointMatch> match = find_endpoint("POST", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->row->path, "/v1/messages");
  }
}

TEST(Endpoints, KnowsTheResponsesApi) {
  const std::pair<std::string_view, std::string_view> paths[] = {
      {"/v1/responses", "/v1/responses"},
      {"/openai/v1/responses", "/v1/responses"},
      {"/v1/responses/input_tokens", "/v1/responses/input_tokens"}};
  for (const auto& [path, row] : paths) {
    const Result<EndpointMatch> match = find_endpoint("POST", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->row->path, row);
    EXPECT_EQ(match->row->codec().dialect(), Dialect::openai_responses);
  }
}

TEST(Endpoints, KnowsWhatCanBeAskedOfAStoredResponse) {
  const std::tuple<std::string_view, std::string_view, Action> rows[] = {
      {"GET", "/v1/responses/resp%5F1", Action::get_response},
      {"DELETE", "/openai/v1/responses/resp_1", Action::delete_response},
      {"GET", "/v1/responses/resp_1/input_items", Action::list_input_items},
      {"POST", "/v1/responses/resp_1/cancel", Action::cancel_response}};
  for (const auto& [method, path, action] : rows) {
    const Result<EndpointMatch> match = find_endpoint(method, path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->row->action, action) << path;
    EXPECT_EQ(match->rest, "resp_1") << path;
  }
  EXPECT_EQ(allowed_methods("/v1/responses/resp_1/cancel"), "POST, OPTIONS");
  EXPECT_EQ(allowed_methods("/v1/responses/resp_1"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(find_endpoint("GET", "/v1/responses/resp_1/other").error().kind, ErrorKind::not_found);
}

TEST(Endpoints, KnowsWhatPassesAsBytesAndInWhichForm) {
  const std::pair<std::string_view, BodyForm> paths[] = {{"/v1/moderations", BodyForm::json},
                                                         {"/v1/audio/speech", BodyForm::json},
                                                         {"/v1/audio/transcriptions", BodyForm::multipart},
                                                         {"/v1/audio/translations", BodyForm::multipart},
                                                         {"/v1/images/generations", BodyForm::json},
                                                         {"/v1/images/edits", BodyForm::json_or_multipart},
                                                         {"/v1/images/variations", BodyForm::multipart}};
  for (const auto& [path, form] : paths) {
    for (const std::string& full : {std::string(path), "/openai" + std::string(path)}) {
      const Result<EndpointMatch> match = find_endpoint("POST", full);
      ASSERT_TRUE(match) << full;
      EXPECT_EQ(match->row->path, path);
      EXPECT_EQ(match->row->body, form);
      EXPECT_EQ(match->row->codec().dialect(), Dialect::openai_chat);
    }
  }
}

TEST(Endpoints, GivesTheSegmentsThatTheStarStandsFor) {
  const Result<EndpointMatch> match = find_endpoint("GET", "/v1/models/meta%2Fllama/3");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->rest, "meta/llama/3");
  for (const std::string_view path : {"/v1/models/", "/v1/messages/", "*", ""}) {
    EXPECT_FALSE(find_endpoint("GET", path)) << path;
  }
}

TEST(Endpoints, FindsGooglesActionsBelowEachOfItsPlaces) {
  for (const std::string_view place :
       {"/v1/models/", "/v1beta/models/", "/gemini/v1beta/models/", "/v1beta1/publishers/google/models/",
        "/v1/projects/p/locations/europe-west1/publishers/google/models/", "/v1beta/tunedModels/"}) {
    const Result<EndpointMatch> match =
        find_endpoint("POST", std::string(place) + "gemini%2Fx:generateContent");
    ASSERT_TRUE(match) << place;
    EXPECT_EQ(match->model, "gemini/x");
    EXPECT_EQ(&match->row->codec(), &gemini_generate_client());
  }
  const Result<EndpointMatch> slashes =
      find_endpoint("POST", "/v1/models/openai/gpt:5:streamGenerateContent");
  ASSERT_TRUE(slashes);
  EXPECT_EQ(slashes->model, "openai/gpt:5");
  EXPECT_EQ(&slashes->row->codec(), &gemini_stream_client());
  EXPECT_FALSE(find_endpoint("POST", "/v1/models/:generateContent"));
  EXPECT_FALSE(find_endpoint("POST", "/v1/models/gemini-x"));
}

TEST(Endpoints, GivesErrorsInGooglesFormToItsClients) {
  Headers headers;
  EXPECT_EQ(&codec_for_errors("/v1/nothing", headers), &openai_chat_client());
  headers.add("x-goog-api-client", "google-genai-sdk/1.0");
  EXPECT_EQ(&codec_for_errors("/v1/nothing", headers), &gemini_generate_client());
}

TEST(Endpoints, GivesErrorsInTheFormThatThePathIsOf) {
  for (const std::string_view path : {"/v1beta/nothing", "/gemini/v1beta/models/x:y", "/v1beta1/x/y"})
    EXPECT_EQ(&codec_for_errors(path, {}), &gemini_generate_client()) << path;
  for (const std::string_view path : {"/v1/messages/batches", "/anthropic/v1/nothing"})
    EXPECT_EQ(&codec_for_errors(path, {}), &anthropic_messages_client()) << path;
}

TEST(Endpoints, AnActionIsNoModelsName) {
  const Result<EndpointMatch> match = find_endpoint("GET", "/v1beta/models/gemini-x:generateContent");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::method_not_allowed);
  EXPECT_EQ(match.error().detail, "POST, OPTIONS");
  EXPECT_TRUE(find_endpoint("GET", "/v1beta/models/gemini-x"));
  EXPECT_TRUE(find_endpoint("GET", "/v1/models/m:free")) << "a colon may be of the name";
}

TEST(Endpoints, ReadsTheModelOutOfBedrocksPaths) {
  struct Row {
    std::string_view path;
    std::string_view pattern;
    std::string_view model;
    Dialect dialect;
  };
  for (const Row& row :
       {Row{"/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke", "/model/{model}/invoke",
            "anthropic.claude-3-5-sonnet-20241022-v2:0", Dialect::bedrock_invoke},
        // Anthropic's SDK for Bedrock sends the colon as it is.
        Row{"/bedrock/model/anthropic.claude-x-v1:0/invoke-with-response-stream",
            "/model/{model}/invoke-with-response-stream", "anthropic.claude-x-v1:0", Dialect::bedrock_invoke},
        Row{"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse",
            "/model/{model}/converse", "arn:aws:bedrock:us-east-1:1:inference-profile/us.x",
            Dialect::bedrock_converse},
        Row{"/model/m/converse-stream", "/model/{model}/converse-stream", "m", Dialect::bedrock_converse},
        Row{"/model/m/count-tokens", "/model/{model}/count-tokens", "m", Dialect::bedrock_converse}}) {
    const Result<EndpointMatch> match = find_endpoint("POST", row.path);
    ASSERT_TRUE(match) << row.path;
    EXPECT_EQ(match->row->path, row.pattern);
    EXPECT_EQ(match->model, row.model);
    EXPECT_EQ(match->row->codec().dialect(), row.dialect);
  }
  for (const std::string_view path : {"/model/m/x/converse", "/model//converse", "/model/m/invoked"})
    EXPECT_FALSE(find_endpoint("POST", path)) << path;
  EXPECT_EQ(codec_for_errors("/model/m/none", {}).dialect(), Dialect::bedrock_converse);
}

TEST(Endpoints, TellsTheMethodsOfAKnownPath) {
  const Result<EndpointMatch> match = find_endpoint("PUT", "/v1/messages");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::method_not_allowed);
  EXPECT_EQ(match.error().detail, "POST, OPTIONS");
  EXPECT_EQ(allowed_methods("/v1/models"), "GET, HEAD, OPTIONS");
}

TEST(Endpoints, NamesTheNearestPathOfAnUnknownOne) {
  const Result<EndpointMatch> match = find_endpoint("POST", "/v1/chat/completion");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::not_found);
  EXPECT_NE(match.error().message.find("/v1/chat/completions"), std::string::npos) << match.error().message;
}

TEST(Docs, EveryEndpointHasItsRow) {
  std::ifstream in("docs/endpoints.md");
  const std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto expect_row = [&page](const std::string& row) {
    EXPECT_NE(page.find("\n" + row), std::string::npos) << row << " is not in docs/endpoints.md";
  };
  for (const EndpointRow& row : endpoint_rows()) {
    std::string wanted = fmt::format("| {} | `{}` | ", row.method, row.path);
    if (row.codec) wanted += fmt::format("{} | ", to_string(row.codec().dialect()));
    expect_row(wanted);
  }
  for (const AdminRow& row : admin_rows()) expect_row(fmt::format("| {} | `{}` | ", row.method, row.path));
  size_t rows_on_page = 0;
  for (const std::string_view line : split(page, '\n')) {
    for (const std::string_view start : {"| GET | `/", "| POST | `/", "| DELETE | `/"}) {
      if (line.starts_with(start)) ++rows_on_page;
    }
  }
  EXPECT_EQ(rows_on_page, endpoint_rows().size() + admin_rows().size()) << "the page has rows of no endpoint";
}

}  // namespace
}  // namespace weir
