#include "codec/web_search.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace weir {
namespace {

constexpr std::string_view kChatOptions = "web_search_options";
constexpr std::string_view kAnthropicType = "web_search_20250305";
constexpr std::array<std::string_view, 4> kPlaceKeys = {"city", "region", "country", "timezone"};

// What a caller says of a search. Texts are copies: what they are read from goes.
struct WebSearch {
  std::vector<std::string> allowed;
  std::vector<std::string> blocked;
  std::optional<int64_t> uses_max;
  std::vector<std::pair<std::string_view, std::string>> place;  // by kPlaceKeys
  std::string context_size;
  std::vector<std::string> others;  // keys that mean nothing elsewhere
};

bool has_web_search(Dialect dialect) {
  return dialect != Dialect::bedrock_converse && dialect != Dialect::bedrock_invoke;
}

bool is_web_search(const Tool& tool) {
  if (tool.kind != ToolKind::server) return false;
  switch (tool.dialect) {
    case Dialect::openai_responses:  // also web_search_2025_08_26, web_search_preview
    case Dialect::anthropic_messages:
      return tool.type == "web_search" || tool.type.starts_with("web_search_");
    case Dialect::gemini:
      return tool.type == "googleSearch";
    case Dialect::openai_chat:
    case Dialect::bedrock_converse:
    case Dialect::bedrock_invoke:
      break;
  }
  return false;
}

bool is_options(const ExtraField& extra) {
  return extra.dialect == Dialect::openai_chat && extra.key == kChatOptions;
}

std::vector<std::string> texts_of(JsonValue list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const JsonValue text : list) texts.emplace_back(text.string_or(""));
  return texts;
}

// Reads the members of every dialect: none gives one name two meanings.
WebSearch read_web_search(JsonValue from) {
  WebSearch search;
  for (const JsonValue member : from) {
    const std::string_view key = member.key();
    if (member.is_null() || key == "type" || key == "name" || key == "cache_control") continue;
    if (key == "allowed_domains") {
      search.allowed = texts_of(member);
    } else if (key == "blocked_domains") {
      search.blocked = texts_of(member);
    } else if (key == "filters") {
      search.allowed = texts_of(member["allowed_domains"]);
      search.blocked = texts_of(member["blocked_domains"]);
    } else if (key == "max_uses") {
      search.uses_max = member.int_or(1);
    } else if (key == "search_context_size") {
      search.context_size = member.string_or("");
    } else if (key == "user_location") {
      const JsonValue place = member["approximate"] ? member["approximate"] : member;
      for (const std::string_view part : kPlaceKeys) {
        if (const std::string_view text = place[part].string_or(""); !text.empty())
          search.place.emplace_back(part, text);
      }
    } else if (key == "googleSearch") {
      for (const JsonValue option : member) search.others.emplace_back(option.key());
    } else {
      search.others.emplace_back(key);
    }
  }
  return search;
}

class SearchWriter {
 public:
  SearchWriter(const WebSearch& search, std::string pointer, Fidelity& fidelity)
      : search_(search), pointer_(std::move(pointer)), fidelity_(fidelity) {
    for (const std::string& key : search.others) lose(key);
  }

  std::string write(Dialect target) {
    json_.begin_object();
    switch (target) {
      case Dialect::openai_responses:
        write_responses();
        break;
      case Dialect::anthropic_messages:
        write_anthropic();
        break;
      case Dialect::openai_chat:
        write_chat();
        break;
      case Dialect::gemini:
      case Dialect::bedrock_converse:
      case Dialect::bedrock_invoke:
        write_gemini();
        break;
    }
    json_.end_object();
    return std::move(text_);
  }

 private:
  void lose(std::string_view what) {
    fidelity_.add(Severity::warning, LossReason::dropped, pointer_, std::string(what));
  }

  void write_list(std::string_view key, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    json_.key(key).begin_array();
    for (const std::string& text : texts) json_.value(text);
    json_.end_array();
  }

  void write_place() {
    for (const auto& [key, text] : search_.place) json_.key(key).value(text);
  }

  void write_flat_place() {
    if (search_.place.empty()) return;
    json_.key("user_location").begin_object().key("type").value("approximate");
    write_place();
    json_.end_object();
  }

  void write_context_size() {
    if (!search_.context_size.empty()) json_.key("search_context_size").value(search_.context_size);
  }

  void write_responses() {
    json_.key("type").value("web_search");
    if (!search_.allowed.empty()) {
      json_.key("filters").begin_object();
      write_list("allowed_domains", search_.allowed);
      json_.end_object();
    }
    write_flat_place();
    write_context_size();
    if (!search_.blocked.empty()) lose("blocked_domains");
    if (search_.uses_max) lose("max_uses");
  }

  void write_anthropic() {
    json_.key("type").value(kAnthropicType).key("name").value("web_search");
    if (search_.uses_max) json_.key("max_uses").value(*search_.uses_max);
    write_list("allowed_domains", search_.allowed);
    // The vendor takes one of the two lists.
    if (search_.allowed.empty()) {
      write_list("blocked_domains", search_.blocked);
    } else if (!search_.blocked.empty()) {
      lose("blocked_domains");
    }
    write_flat_place();
    if (!search_.context_size.empty()) lose("search_context_size");
  }

  void write_chat() {
    if (!search_.place.empty()) {
      json_.key("user_location").begin_object().key("type").value("approximate");
      json_.key("approximate").begin_object();
      write_place();
      json_.end_object().end_object();
    }
    write_context_size();
    lose_limits();
  }

  void write_gemini() {
    json_.key("googleSearch").begin_object().end_object();
    lose_limits();
    if (!search_.place.empty()) lose("user_location");
    if (!search_.context_size.empty()) lose("search_context_size");
  }

  void lose_limits() {
    if (!search_.allowed.empty()) lose("allowed_domains");
    if (!search_.blocked.empty()) lose("blocked_domains");
    if (search_.uses_max) lose("max_uses");
  }

  const WebSearch& search_;
  const std::string pointer_;
  Fidelity& fidelity_;
  std::string text_;
  JsonWriter json_{text_};
};

// What a target calls the tool: its type, and its name for choices.
struct Naming {
  std::string_view type;
  std::string_view name;
};

Naming naming_of(Dialect target) {
  if (target == Dialect::gemini) return {.type = "googleSearch", .name = "googleSearch"};
  if (target == Dialect::anthropic_messages) return {.type = kAnthropicType, .name = "web_search"};
  return {.type = "web_search", .name = "web_search"};
}

// A search, said anew for the target.
RawJson translated(RawJson raw, Dialect target, const std::string& pointer, Chat& chat, Fidelity& fidelity) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw.text));
  const WebSearch search = parsed ? read_web_search(parsed->root()) : WebSearch{};
  fidelity.add(Severity::info, LossReason::emulated, pointer, "web search",
               std::string(target == Dialect::openai_chat ? kChatOptions : naming_of(target).type));
  return {chat.arena->keep(SearchWriter(search, pointer, fidelity).write(target))};
}

// A choice that names the search, where a tool of that kind can be named; else it is left out.
void rename_choice(Chat& chat, std::string_view old_name, Dialect target, Fidelity& fidelity) {
  if (!chat.tool_choice) return;
  const bool can_name = target == Dialect::anthropic_messages || target == Dialect::openai_responses;
  ToolChoice& choice = *chat.tool_choice;
  for (std::string_view& name : choice.allowed) {
    if (name == old_name) name = naming_of(target).name;
  }
  if (choice.mode != ToolChoiceMode::named || choice.name != old_name) return;
  choice.name = naming_of(target).name;
  if (can_name) return;
  fidelity.add(Severity::warning, LossReason::dropped, "/tool_choice");
  chat.tool_choice.reset();
}

}  // namespace

bool has_foreign_web_search(const Chat& chat, Dialect target) {
  if (!has_web_search(target)) return false;
  return std::ranges::any_of(
             chat.tools,
             [target](const Tool& tool) { return tool.dialect != target && is_web_search(tool); }) ||
         (target != Dialect::openai_chat && std::ranges::any_of(chat.extras, is_options));
}

void map_web_search(Chat& chat, Dialect target, Fidelity& fidelity) {
  std::vector<Tool> tools;
  for (Tool& tool : chat.tools) {
    if (tool.dialect == target || !is_web_search(tool)) {
      tools.push_back(tool);
      continue;
    }
    const std::string pointer = fmt::format("/tools/{}", &tool - chat.tools.data());
    const RawJson raw = translated(tool.raw, target, pointer, chat, fidelity);
    if (target == Dialect::openai_chat) {
      chat.extras.push_back({.dialect = target, .key = kChatOptions, .raw = raw});
    } else {
      const Naming naming = naming_of(target);
      tools.push_back({.kind = ToolKind::server,
                       .name = naming.name,
                       .dialect = target,
                       .type = naming.type,
                       .raw = raw});
    }
    rename_choice(chat, tool.name, target, fidelity);
  }
  if (target != Dialect::openai_chat) {
    for (const ExtraField& extra : chat.extras) {
      if (!is_options(extra)) continue;
      const Naming naming = naming_of(target);
      tools.push_back(
          {.kind = ToolKind::server,
           .name = naming.name,
           .dialect = target,
           .type = naming.type,
           .raw = translated(extra.raw, target, fmt::format("/{}", kChatOptions), chat, fidelity)});
    }
    std::erase_if(chat.extras, is_options);
  }
  chat.tools = std::move(tools);
}

}  // namespace weir
