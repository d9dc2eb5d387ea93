#include "cell.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/text.h"
#include "gist.h"

namespace weir::conformance {
namespace {

// Fed in pieces of a prime length, so that they fall anywhere in an event.
constexpr size_t kPieceBytes = 997;
constexpr std::string_view kFetchedPng = "iVBORw0KGgo=";

Cell broken(std::string_view where, const Error& error) {
  return {Outcome::broken, fmt::format("{}: {} {}", where, error.message, error.path)};
}

AnswerContext context_of(const Request& request) {
  AnswerContext context;
  context.exchange_id = "req_0190";
  context.created_s = 1'760'000'000;
  context.model = "the-model";
  context.request = &request;
  return context;
}

std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "; ") + line;
  return out;
}

// A request as its client half reads it.
struct Asked {
  ClientCall call;
  Request request;
};

Result<Asked> read_request(const DialectUnderTest& dialect, const EncodedCall& encoded, bool is_streamed) {
  Asked asked;
  asked.call.dialect = dialect.dialect;
  asked.call.method = "POST";
  asked.call.path = encoded.wire.path;
  asked.call.path_model = "the-model";
  asked.call.headers = encoded.wire.headers;
  asked.call.body = std::make_shared<const JsonDoc>(TRY(JsonDoc::parse(std::string(encoded.wire.bytes()))));
  asked.request = TRY(dialect.client(is_streamed).decode_request(asked.call));
  if (Chat* chat = std::get_if<Chat>(&asked.request)) chat->is_streamed = is_streamed;
  return asked;
}

// ---- What the adapt stage does between the two legs

bool holds_url(const Block& block) {
  const auto* image = std::get_if<ImageBlock>(&block.body);
  return image && !image->media.url.empty();
}

// Gives what the adapt stage supplies, and says what it did.
std::string adapt(Chat& chat, const Chat& original, const DialectUnderTest& target) {
  std::string done;
  for (Message& message : chat.messages) {
    for (Block& block : message.content) {
      if (!holds_url(block) || target.capabilities.image_url.value_or(true)) continue;
      std::get<ImageBlock>(block.body).media = {.base64 = kFetchedPng, .mime = "image/png"};
      done = "the image is fetched";
    }
  }
  const auto is_thinking = [](const Block& block) {
    return std::holds_alternative<ThinkingBlock>(block.body);
  };
  for (const Message& message : original.messages) {
    const auto thinking = std::ranges::find_if(message.content, is_thinking);
    if (thinking == message.content.end()) continue;
    for (Message& turn : chat.messages) {
      if (turn.role != Role::assistant) continue;
      std::erase_if(turn.content, is_thinking);
      Block restored = *thinking;
      std::get<ThinkingBlock>(restored.body).issuer = target.dialect;
      turn.content.insert(turn.content.begin(), restored);
      done = "the turn store restores the thinking";
    }
  }
  return done;
}

// ---- The way of the request

// Whether the target still gets it, if in another form.
bool is_change(const FidelityRecord& record) {
  switch (record.reason) {
    case LossReason::clamped:
    case LossReason::synthesised:
    case LossReason::reordered:
    case LossReason::merged:
    case LossReason::emulated:
    case LossReason::coerced_string:
    case LossReason::schema_downleveled:
    case LossReason::renamed:
      return true;
    case LossReason::dropped:
    case LossReason::unsupported_block:
    case LossReason::signature_dropped:
    case LossReason::thinking_dropped:
    case LossReason::cache_dropped:
      return record.severity == Severity::info;  // nobody would miss it
  }
  return false;
}

// Which records speak of a difference: those of one of the fields, or for one of the reasons.
struct Excuse {
  std::string_view subject;  // what the line begins with, behind its sign and speaker
  std::vector<std::string_view> fields;
  std::vector<LossReason> reasons;
};

const std::vector<Excuse>& excuses() {
  using enum LossReason;
  static const std::vector<Excuse> kExcuses = {
      {"max_tokens ", {"/max_tokens"}, {}},
      {"stop ", {"/stop"}, {}},
      {"tool ", {"/tools"}, {}},
      {"schema ", {"/response_format"}, {schema_downleveled}},
      {"reasons", {"/reasoning", "/thinking"}, {}},
      {"cache marker", {}, {cache_dropped}},
      {"thinking ", {}, {thinking_dropped, signature_dropped}},
      {"redacted ", {}, {thinking_dropped}},
      {"call ", {"/tools"}, {coerced_string, emulated, renamed}},
      {"result ", {}, {coerced_string, emulated, reordered, unsupported_block}},
      {"image ", {}, {unsupported_block, coerced_string, reordered}},
      {"document ", {}, {unsupported_block, coerced_string, reordered}},
      {"text ", {"/response_format"}, {coerced_string, reordered, merged, synthesised, emulated}},
  };
  return kExcuses;
}

bool speaks_of(const FidelityRecord& record, const Excuse& excuse) {
  return std::ranges::any_of(excuse.fields,
                             [&](std::string_view field) { return record.pointer.starts_with(field); }) ||
         std::ranges::find(excuse.reasons, record.reason) != excuse.reasons.end();
}

// Whether the encoder's notes speak of that very difference: what they say of others excuses nothing.
bool is_reported(std::string_view line, const CallNotes& notes) {
  const std::string_view said = line.substr(line.find(": ") + 2);
  // Weir watches the text for these, and so nothing is lost.
  if (said.starts_with("stop ") && std::ranges::find(notes.stops, said.substr(5)) != notes.stops.end())
    return true;
  // The tool that stands for the answer's schema is what the record of the schema speaks of.
  const bool is_json_tool =
      !notes.json_tool.empty() && said.starts_with(fmt::format("tool {} ", notes.json_tool));
  const std::string_view subject = is_json_tool ? "schema " : said;
  return std::ranges::any_of(excuses(), [&](const Excuse& excuse) {
    if (!subject.starts_with(excuse.subject)) return false;
    const std::vector<FidelityRecord>& records = notes.fidelity.records();
    return std::ranges::any_of(records, [&](const auto& record) { return speaks_of(record, excuse); });
  });
}

// What the differences mean, given what the encoder reported.
Cell judge_request(const std::vector<std::string>& lines, const CallNotes& notes) {
  if (lines.empty()) return {};
  std::vector<std::string> silent;
  for (const std::string& line : lines) {
    if (!is_reported(line, notes)) silent.push_back(line);
  }
  if (!silent.empty()) {
    const std::string records = notes.fidelity.header_value();
    return {Outcome::silent, fmt::format("request: {} (reported: {})", join(silent), records)};
  }
  const bool all_changes = std::ranges::all_of(notes.fidelity.records(), is_change);
  return {all_changes ? Outcome::emulated : Outcome::refused, "request: " + notes.fidelity.header_value()};
}

struct RequestLeg {
  Cell cell;
  Asked asked;       // as the client said it
  EncodedCall call;  // as the provider gets it
};

Cell way_back(const RequestLeg& leg, const Chat& said, const DialectUnderTest& target, bool is_streamed) {
  Result<Asked> heard = read_request(target, leg.call, is_streamed);
  if (!heard) return broken("the target's own reading of the request", heard.error());
  return judge_request(differences(gist_of(said), gist_of(*chat_of(heard->request))), leg.call.notes);
}

RequestLeg run_request(const Case& wanted, const DialectUnderTest& client, const DialectUnderTest& target,
                       bool is_streamed) {
  RequestLeg leg;
  Chat chat = wanted.request(client.dialect);
  chat.is_streamed = is_streamed;
  const Capabilities anything;
  Result<EncodedCall> written =
      client.provider->encode_request(chat, {.model = client.model, .capabilities = &anything});
  if (!written)
    return leg.cell = {Outcome::refused, "the client cannot say it: " + written.error().message}, leg;
  Result<Asked> asked = read_request(client, *written, is_streamed);
  if (!asked) return leg.cell = broken("the client half", asked.error()), leg;
  leg.asked = std::move(*asked);
  const std::vector<std::string> unsaid = differences(gist_of(chat), gist_of(*chat_of(leg.asked.request)));

  const TargetModel model{.model = target.model, .capabilities = &target.capabilities};
  if (client.dialect == target.dialect) {
    Result<EncodedCall> spliced = target.provider->splice_request(leg.asked.call, leg.asked.request, model);
    if (!spliced) return leg.cell = broken("the raw way", spliced.error()), leg;
    leg.call = std::move(*spliced);
    leg.cell = way_back(leg, *chat_of(leg.asked.request), target, is_streamed);
    return leg;
  }
  Chat adapted = *chat_of(leg.asked.request);
  const std::string done = adapt(adapted, chat, target);
  Result<EncodedCall> call = target.provider->encode_request(adapted, model);
  if (!call) return leg.cell = {Outcome::refused, "request: " + call.error().message}, leg;
  leg.call = std::move(*call);
  leg.cell = way_back(leg, adapted, target, is_streamed);
  if (leg.cell.outcome == Outcome::carried && !done.empty()) leg.cell = {Outcome::emulated, done};
  // What the client's dialect has no words for is not Weir's to carry.
  if (leg.cell.outcome == Outcome::carried && !unsaid.empty()) {
    leg.cell.why = "as far as the client's dialect can say it: " + join(unsaid);
  }
  return leg;
}

// ---- The way of the answer

// The answer as a provider gives it whose schema was emulated by a forced tool.
std::vector<Event> through_tool(std::vector<Event> events, const std::string& tool) {
  for (Event& event : events) {
    if (auto* start = std::get_if<BlockStart>(&event)) {
      *start = {.index = start->index, .kind = BlockKind::tool_call, .tool_id = "call_1", .tool_name = tool};
    } else if (auto* finish = std::get_if<Finish>(&event)) {
      finish->reason = StopReason::tool;
    }
  }
  return events;
}

struct WrittenAnswer {
  std::string body;
  Headers headers;
};

WrittenAnswer write_answer(const DialectUnderTest& dialect, const std::vector<Event>& events,
                           const Request& request, bool is_streamed) {
  const AnswerContext context = context_of(request);
  WrittenAnswer written;
  if (is_streamed) {
    const auto encoder = dialect.client(true).stream_encoder(context);
    for (const Event& event : events) encoder->encode(event, written.body);
    return written;
  }
  AnswerFolder folder;
  for (const Event& event : events) folder.add(event);
  ClientReply reply = dialect.client(false).encode_answer(folder.answer(), context);
  written.body = std::move(reply.body);
  written.headers = std::move(reply.headers);
  return written;
}

Result<std::vector<Event>> read_answer(const DialectUnderTest& dialect, const WrittenAnswer& written,
                                       const CallNotes& notes, bool is_streamed) {
  if (!is_streamed) {
    return dialect.provider->decode_answer({.status = 200, .headers = &written.headers, .body = written.body},
                                           notes);
  }
  std::vector<Event> events;
  const auto decoder = dialect.provider->stream_decoder(notes);
  for (std::string_view rest = written.body; !rest.empty();) {
    const std::string piece(rest.substr(0, kPieceBytes));
    rest.remove_prefix(piece.size());
    TRY(decoder->feed(piece, events));
  }
  TRY(decoder->finish(events));
  return events;
}

Answer fold(const std::vector<Event>& events) {
  AnswerFolder folder;
  for (const Event& event : events) folder.add(event);
  return folder.take();
}

// Whether the answer's end is only told with fewer words, as the table of stop reasons says
// (translation.md 4.6.1): dialects without a word for a refusal or for the stop sequence use a wider one.
bool is_coarser(const std::vector<std::string>& lost) {
  constexpr std::array kMayVanish = {"-finish stop_sequence", "-stopped by ", "-finish refusal",
                                     "-finish filter", "-refusal "};
  constexpr std::array kMayAppear = {"+finish end", "+finish filter", "+finish refusal", "+text ",
                                     "+refusal "};
  return std::ranges::all_of(lost, [&](const std::string& line) {
    const auto begins = [&line](std::string_view words) { return line.starts_with(words); };
    return std::ranges::any_of(kMayVanish, begins) || std::ranges::any_of(kMayAppear, begins);
  });
}

// Counts that a dialect has no field for (translation.md 4.6.2): nobody can say them in it.
struct NoField {
  Dialect dialect;
  std::string_view line;
};
constexpr std::array kNoField = {NoField{Dialect::bedrock_converse, "-reasoning tokens "},
                                 NoField{Dialect::gemini, "-cache write "}};

// The differences without those that the dialect has no field for.
std::vector<std::string> sayable(std::vector<std::string> lost, Dialect dialect) {
  std::erase_if(lost, [dialect](const std::string& line) {
    return std::ranges::any_of(
        kNoField, [&](const NoField& row) { return row.dialect == dialect && line.starts_with(row.line); });
  });
  return lost;
}

Cell run_answer(const Case& wanted, const RequestLeg& leg, const DialectUnderTest& client,
                const DialectUnderTest& target, bool is_streamed) {
  std::vector<Event> events = wanted.answer(target.dialect);
  CallNotes notes = leg.call.notes;
  notes.is_streamed = is_streamed;
  notes.is_raw = false;
  if (!notes.json_tool.empty()) events = through_tool(std::move(events), notes.json_tool);
  Result<std::vector<Event>> given =
      read_answer(target, write_answer(target, events, leg.asked.request, is_streamed), notes, is_streamed);
  if (!given) return broken("the provider's answer", given.error());
  // What the provider's dialect has no words for it never says. Through a forced tool it says it otherwise.
  if (notes.json_tool.empty()) {
    const std::vector<std::string> unsaid =
        sayable(differences(gist_of(fold(events)), gist_of(fold(*given))), target.dialect);
    if (!is_coarser(unsaid)) return {Outcome::silent, "the provider's dialect: " + join(unsaid)};
  }
  CallNotes plain;
  plain.is_streamed = is_streamed;
  for (const std::string_view stop : chat_of(leg.asked.request)->stop) plain.sent_stops.emplace_back(stop);
  Result<std::vector<Event>> got =
      read_answer(client, write_answer(client, *given, leg.asked.request, is_streamed), plain, is_streamed);
  if (!got) return broken("the client's reading of the answer", got.error());
  const std::vector<std::string> lost =
      sayable(differences(gist_of(fold(*given)), gist_of(fold(*got))), client.dialect);
  if (lost.empty()) return {};
  return {is_coarser(lost) ? Outcome::emulated : Outcome::refused, "answer: " + join(lost)};
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  constexpr std::array<std::string_view, 5> kNames = {"carried", "emulated", "refused", "silent", "broken"};
  return kNames[static_cast<size_t>(outcome)];
}

Cell run_cell(const Case& wanted, const DialectUnderTest& client, const DialectUnderTest& target,
              bool is_streamed) {
  RequestLeg leg = run_request(wanted, client, target, is_streamed);
  if (leg.cell.outcome == Outcome::refused && leg.call.wire.bytes().empty()) return leg.cell;
  if (leg.cell.outcome >= Outcome::silent) return leg.cell;
  Cell answer = run_answer(wanted, leg, client, target, is_streamed);
  if (answer.outcome == Outcome::carried) return leg.cell;
  if (leg.cell.outcome != Outcome::carried && answer.outcome < Outcome::silent) {
    answer.why = leg.cell.why + "; " + answer.why;
    answer.outcome = std::max(answer.outcome, leg.cell.outcome);
  }
  return answer;
}

}  // namespace weir::conformance
