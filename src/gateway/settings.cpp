#include "gateway/settings.h"

#include <array>

namespace weir {

std::span<const Setting<GatewaySettings>> gateway_setting_rows() {
  using Row = Setting<GatewaySettings>;
  static const std::array kRows = {
      Row{.key = "timeout",
          .member = &GatewaySettings::timeout,
          .sentence = "Time limit of a whole model call when neither the client nor the route says less.",
          .min = 0.1,
          .max = 86'400},
      Row{.key = "head_wait",
          .member = &GatewaySettings::head_wait,
          .sentence = "When a streamed answer's head leaves although no content has come. Until then a "
                      "failure is a real HTTP "
                      "error and another target may be tried.",
          .min = 0.1,
          .max = 600},
      Row{.key = "keep_alive",
          .member = &GatewaySettings::keep_alive,
          .sentence = "Time between comments or pings on a stream that is silent.",
          .min = 1,
          .max = 600},
      Row{.key = "body_bytes_max",
          .member = &GatewaySettings::body_bytes_max,
          .sentence = "The largest request body; a larger one gets 413. All bodies that are held at one time "
                      "share 1GiB.",
          .min = 1024,
          .max = static_cast<double>(kBodyBudgetBytes)},
      Row{.key = "cors_origins",
          .member = &GatewaySettings::cors_origins,
          .sentence =
              "Origins of web pages that may call Weir from a browser, e.g. https://app.example.com."},
      Row{.key = "choices",
          .member = &GatewaySettings::choices,
          .sentence =
              "What a request for several choices gets from a model that gives one at a time: error, or "
              "fanout, as many calls at once (each pays for the prompt). A route and x-weir-choices "
              "may say otherwise.",
          .choices = "error|fanout"},
      Row{.key = "on_client_gone",
          .member = &GatewaySettings::on_client_gone,
          .sentence =
              "What becomes of the call to the provider when the client hangs up: cancel, it is broken off "
              "and what was used is estimated; or drain, the answer is read to its end, so that its usage "
              "is what the provider states. A route may say otherwise.",
          .choices = "cancel|drain"},
      Row{.key = "client_gone_timeout",
          .member = &GatewaySettings::client_gone_timeout,
          .sentence = "How long such an answer is read on at most; never past the call's own timeout.",
          .min = 0.1,
          .max = 86'400},
      Row{.key = "client_gone_bytes_max",
          .member = &GatewaySettings::client_gone_bytes_max,
          .sentence = "How much of a streamed answer is read on at most.",
          .min = 1024,
          .max = static_cast<double>(kBodyBytesMax)},
  };
  return kRows;
}

std::span<const Setting<FetchSettings>> fetch_setting_rows() {
  using Row = Setting<FetchSettings>;
  static const std::array kRows = {
      Row{.key = "allow",
          .member = &FetchSettings::allow,
          .sentence = "Hosts that may be fetched from although they are not on the public internet; "
                      "patterns with '*', e.g. *.files.example.com."},
      Row{.key = "bytes_max",
          .member = &FetchSettings::bytes_max,
          .sentence = "The largest image or document that is fetched for a model that takes no URLs.",
          .min = 1024,
          .max = static_cast<double>(kBodyBytesMax)},
      Row{.key = "timeout",
          .member = &FetchSettings::timeout,
          .sentence = "How long one fetch may take, redirects included.",
          .min = 0.1,
          .max = 600},
  };
  return kRows;
}

std::span<const Setting<KeepSettings>> keep_setting_rows() {
  using Row = Setting<KeepSettings>;
  static const std::array kRows = {
      Row{.key = "turn_ttl",
          .member = &KeepSettings::turn_ttl,
          .applies = Applies::restart,
          .sentence = "How long the thinking of a turn with tool calls is kept for clients that do not send "
                      "it back.",
          .min = 1,
          .max = 31'536'000},
      Row{.key = "response_ttl",
          .member = &KeepSettings::response_ttl,
          .applies = Applies::restart,
          .sentence = "How long a stored response can be continued or asked for.",
          .min = 1,
          .max = 315'360'000},
      Row{.key = "memory_bytes_max",
          .member = &KeepSettings::memory_bytes_max,
          .applies = Applies::restart,
          .sentence = "Memory for turns, and as much again for responses; one caller has a quarter at most. "
                      "What does not fit is read from the disk.",
          .min = 1'048'576,
          .max = 1'099'511'627'776},
      Row{.key = "per_caller_max",
          .member = &KeepSettings::per_caller_max,
          .applies = Applies::restart,
          .sentence = "Turns, and as many responses, kept for one caller; the oldest go.",
          .min = 1,
          .max = 10'000'000},
      Row{.key = "per_caller_bytes_max",
          .member = &KeepSettings::per_caller_bytes_max,
          .applies = Applies::restart,
          .sentence = "Bytes of turns, and as many of responses, kept on disk for one caller.",
          .min = 1'048'576,
          .max = 1'099'511'627'776},
      Row{.key = "rows_max",
          .member = &KeepSettings::rows_max,
          .applies = Applies::restart,
          .sentence = "Turns, and as many responses, kept on disk for all callers.",
          .min = 1,
          .max = 1e9},
  };
  return kRows;
}

std::span<const Setting<TranslationSettings>> translation_setting_rows() {
  using Row = Setting<TranslationSettings>;
  static const std::array kRows = {
      Row{.key = "strict",
          .member = &TranslationSettings::strict,
          .sentence = "What the target cannot be told as the client said it is a 400 that names it, as with "
                      "x-weir-strict: 1."},
      Row{.key = "missing_results",
          .member = &TranslationSettings::missing_results,
          .sentence = "What a call of a tool without a result gets where the target wants one: error, or "
                      "repair, a result that says that the call was not completed.",
          .choices = "error|repair"},
      Row{.key = "first_assistant",
          .member = &TranslationSettings::first_assistant,
          .sentence = "What a conversation that the assistant begins gets: error, where the target is known "
                      "to refuse it; or pad, wherever the vendor wants the user first, a message of the user "
                      "before it that is a full stop.",
          .choices = "error|pad"},
      Row{.key = "cache_markers",
          .member = &TranslationSettings::cache_markers,
          .sentence = "Mark what a prompt shares with the next one of its conversation (the last tool, the "
                      "system prompt, the ends of the last two turns of the user) for targets that cache "
                      "only what is marked, unless the caller marks anything."},
      Row{.key = "hash_user",
          .member = &TranslationSettings::hash_user,
          .sentence = "Send a keyed hash (HMAC-SHA256) of the end user's id (user, safety_identifier, "
                      "metadata.user_id) instead of the id; also where the client's bytes pass as they are "
                      "otherwise. Forms are not looked into. The key comes of master.key in "
                      "server.data_dir: servers that are to send the same hashes share that file."},
      Row{.key = "server_tools",
          .member = &TranslationSettings::server_tools,
          .sentence =
              "What a tool that another vendor runs gets at a target that has no such tool: error, or "
              "drop, the call is made without it.",
          .choices = "error|drop"},
      Row{.key = "web_search",
          .member = &TranslationSettings::web_search,
          .sentence = "Ask a target of another vendor for its own web search where the caller asks for one. "
                      "It is the vendor's, with the vendor's sources and prices."},
      Row{.key = "user_names",
          .member = &TranslationSettings::user_names,
          .sentence = "What becomes of a user's name where the target knows none: drop, or prefix, it goes "
                      "before the user's words.",
          .choices = "drop|prefix"},
      Row{.key = "sampling",
          .member = &TranslationSettings::sampling,
          .sentence = "What a temperature out of the target's range gets: clamp, the nearest that it takes; "
                      "or error.",
          .choices = "clamp|error"},
      Row{.key = "malformed_calls",
          .member = &TranslationSettings::malformed_calls,
          .sentence = "What becomes of an answer that ends because the model got the call of a tool wrong, "
                      "before any of it has left: answer, the client is told; or retry, the same target is "
                      "asked once more, and both are paid for.",
          .choices = "answer|retry"},
      Row{.key = "reasoning_field",
          .member = &TranslationSettings::reasoning_field,
          .sentence = "State a model's thinking for clients of Chat Completions as `reasoning` too, beside "
                      "`reasoning_content`; answers that pass as they came have what their provider says."},
  };
  return kRows;
}

}  // namespace weir
