#include "provider/extract_model_json.h"

#include <algorithm>
#include <fmt/core.h>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "provider/extract_model_spans.h"
#include "search/terms.h"
#include "search/unicode.h"

namespace weir {
namespace {

constexpr int kDepthMax = 8;
constexpr size_t kItemsMax = 10;
constexpr std::string_view kAnswerNames[] = {"answer",  "summary", "response",    "result",
                                             "text",    "output",  "explanation", "reply",
                                             "content", "message", "description", "reason"};
constexpr std::string_view kQuoteNames[] = {"quotes",   "quote",      "evidence", "sources",
                                            "source",   "citations",  "citation", "sentences",
                                            "excerpts", "key_points", "points",   "bullets"};

template <size_t N>
bool is_one_of(std::string_view word, const std::string_view (&list)[N]) {
  return std::ranges::find(list, word) != std::end(list);
}

// "dateOfBirth" and "date_of_birth" give "date of birth".
std::string words_of_name(std::string_view name) {
  std::string words;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool is_hump =
        i > 0 && name[i] >= 'A' && name[i] <= 'Z' && name[i - 1] >= 'a' && name[i - 1] <= 'z';
    if (is_hump) words += ' ';
    words += name[i] == '_' || name[i] == '-' ? ' ' : to_lower(name[i]);
  }
  return words;
}

struct NameHint {
  std::string_view word;
  SpanKind kind;
};

// What kind of thing a property of that name holds; the last word that fits decides.
constexpr NameHint kHints[] = {
    {"email", SpanKind::email},      {"mail", SpanKind::email},        {"url", SpanKind::url},
    {"website", SpanKind::url},      {"link", SpanKind::url},          {"phone", SpanKind::phone},
    {"telephone", SpanKind::phone},  {"date", SpanKind::time},         {"year", SpanKind::time},
    {"when", SpanKind::time},        {"born", SpanKind::time},         {"founded", SpanKind::time},
    {"deadline", SpanKind::time},    {"day", SpanKind::time},          {"opened", SpanKind::time},
    {"price", SpanKind::money},      {"cost", SpanKind::money},        {"amount", SpanKind::money},
    {"total", SpanKind::money},      {"fee", SpanKind::money},         {"salary", SpanKind::money},
    {"budget", SpanKind::money},     {"city", SpanKind::place},        {"country", SpanKind::place},
    {"place", SpanKind::place},      {"location", SpanKind::place},    {"town", SpanKind::place},
    {"name", SpanKind::person},      {"person", SpanKind::person},     {"author", SpanKind::person},
    {"architect", SpanKind::person}, {"owner", SpanKind::person},      {"customer", SpanKind::person},
    {"age", SpanKind::quantity},     {"length", SpanKind::quantity},   {"height", SpanKind::quantity},
    {"width", SpanKind::quantity},   {"duration", SpanKind::quantity}, {"weight", SpanKind::quantity},
    {"count", SpanKind::number}};

std::optional<SpanKind> hint_of(std::string_view words) {
  std::optional<SpanKind> kind;
  for (const std::string_view word : split(words, ' ')) {
    for (const NameHint& hint : kHints) {
      if (word == hint.word) kind = hint.kind;
    }
  }
  return kind;
}

AnswerKind answer_kind_of(std::optional<SpanKind> span) {
  if (!span) return AnswerKind::any;
  switch (*span) {
    case SpanKind::person:
      return AnswerKind::person;
    case SpanKind::place:
      return AnswerKind::place;
    case SpanKind::time:
      return AnswerKind::time;
    case SpanKind::money:
      return AnswerKind::money;
    case SpanKind::quantity:
    case SpanKind::number:
      return AnswerKind::quantity;
    default:
      return AnswerKind::any;
  }
}

struct Property {
  std::string name;                // as the schema has it
  std::string words;               // the name as words
  std::string query;               // words and description
  std::vector<std::string> terms;  // of the words
  std::optional<SpanKind> hint;
};

Property read_property(std::string_view name, JsonValue schema) {
  Property property{std::string(name), words_of_name(name), {}, {}, {}};
  property.query = property.words + " " + std::string(schema["description"].string_or(""));
  property.terms = index_terms(property.words);
  property.hint = hint_of(property.words);
  return property;
}

// The types of a schema: "type" may be one name or an array of them.
bool has_type(JsonValue schema, std::string_view type) {
  const JsonValue types = schema["type"];
  if (types.is_string()) return types.string_or("") == type;
  for (const JsonValue one : types) {
    if (one.string_or("") == type) return true;
  }
  return false;
}

// What a number's text is as a JSON number; nothing when it has words in it ("three", "1.2.3").
std::optional<std::string> json_number(std::string_view text, bool is_integer) {
  std::string digits;
  size_t points = 0;
  for (const char c : text) {
    if (c == ',') continue;
    if (c == '.') ++points;
    if (c != '.' && (c < '0' || c > '9')) break;
    digits += c;
  }
  while (digits.ends_with('.')) digits.pop_back(), --points;
  const size_t zeros = digits.find_first_not_of('0');
  if (zeros == digits.npos) return digits.empty() ? std::nullopt : std::optional<std::string>("0");
  if (points > 1 || (is_integer && points > 0) || !(text[0] >= '0' && text[0] <= '9')) return std::nullopt;
  if (zeros > 0) digits.erase(0, digits[zeros] == '.' ? zeros - 1 : zeros);
  return digits;
}

class Filler {
 public:
  Filler(const Material& material, const ExtractFindings& findings)
      : material_(material), findings_(findings) {}

  Result<std::string> object(JsonValue schema, int depth) const {
    const JsonValue properties = schema["properties"];
    if (!properties.is_object() || depth > kDepthMax) {
      return fail(ErrorKind::unsupported, "weir/extract fills only schemas of objects with properties");
    }
    std::string out;
    JsonWriter writer(out);
    writer.begin_object();
    for (const JsonValue member : properties) {
      const Property property = read_property(member.key(), member);
      const auto value = value_of(property, member, depth);
      if (value) {
        writer.key(property.name).raw(*value);
      } else if (has_type(member, "null") || allows_null(member)) {
        writer.key(property.name).null();
      } else if (is_required(schema, property.name)) {
        return fail(
            ErrorKind::unsupported,
            fmt::format(
                "The text that I was given does not say the required \"{}\". (I am weir/extract and only "
                "fill in what the text says.)",
                property.name),
            property.name);
      }
    }
    writer.end_object();
    return out;
  }

 private:
  static bool allows_null(JsonValue schema) {
    for (const std::string_view key : {"anyOf", "oneOf"}) {
      for (const JsonValue choice : schema[key]) {
        if (has_type(choice, "null")) return true;
      }
    }
    return false;
  }

  static bool is_required(JsonValue schema, std::string_view name) {
    for (const JsonValue required : schema["required"]) {
      if (required.string_or("") == name) return true;
    }
    return false;
  }

  // The JSON of a property's value; nothing when the text does not give it.
  std::optional<std::string> value_of(const Property& property, JsonValue schema, int depth) const {
    if (schema["const"]) return std::string(schema["const"].raw());
    if (schema["enum"].is_array()) return choice(property, schema["enum"]);
    for (const std::string_view key : {"anyOf", "oneOf"}) {
      for (const JsonValue one : schema[key]) {
        if (has_type(one, "null")) continue;
        if (auto value = value_of(property, one, depth)) return value;
      }
    }
    if (has_type(schema, "string")) return quoted(string_value(property));
    if (has_type(schema, "integer")) return number_value(property, true);
    if (has_type(schema, "number")) return number_value(property, false);
    if (has_type(schema, "boolean")) return boolean_value(property);
    if (has_type(schema, "array")) return array_value(property, schema["items"]);
    if (has_type(schema, "object")) {
      auto inner = object(schema, depth + 1);
      return inner ? std::optional(*std::move(inner)) : std::nullopt;
    }
    return std::nullopt;
  }

  static std::optional<std::string> quoted(const std::optional<std::string>& text) {
    if (!text || text->empty()) return std::nullopt;
    std::string out;
    append_json_string(out, *text);
    return out;
  }

  // "Name: value" on a line or in a list.
  std::optional<std::string> labelled(const Property& property) const {
    for (size_t i = 0; i < material_.size(); ++i) {
      const std::string text = material_.plain(i);
      const auto parts = split_once(text, ':');
      if (!parts || parts->first.size() > 40 || index_terms(parts->first) != property.terms) continue;
      const std::string_view value = trim(parts->second);
      if (!value.empty()) return std::string(value);
    }
    return std::nullopt;
  }

  Selection best_for(const Property& property) const {
    Ask ask;
    ask.kind = answer_kind_of(property.hint);
    ask.wants_span = true;
    Selection selection = select_answer(material_, property.query, ask);
    if (selection.sentences.empty()) selection = select_answer(material_, property.words, ask);
    return selection;
  }

  // A span of that kind in the best sentence, else the first in the text.
  std::optional<std::string> span(const Property& property, SpanKind kind) const {
    const Selection selection = best_for(property);
    if (!selection.sentences.empty()) {
      const std::string best = material_.plain(selection.best);
      if (const auto found = find_span(best, kind, property.terms)) return std::string(*found);
    }
    for (size_t i = 0; i < material_.size(); ++i) {
      const std::string text = material_.plain(i);
      if (const auto found = find_span(text, kind, property.terms)) return std::string(*found);
    }
    return std::nullopt;
  }

  // "The capital is Paris.": what follows the name and a verb, up to the end of the clause.
  std::optional<std::string> predicate(const Property& property) const {
    for (size_t i = 0; i < material_.size(); ++i) {
      const std::string text = material_.plain(i);
      const std::string folded = to_lower(text);
      const size_t at = folded.find(property.words);
      if (at == folded.npos) continue;
      for (const std::string_view verb : {" is ", " are ", " was ", " were ", " = "}) {
        const size_t verb_at = folded.find(verb, at + property.words.size());
        if (verb_at == folded.npos || verb_at > at + property.words.size() + 40) continue;
        const size_t start = verb_at + verb.size();
        size_t end = std::min(text.find_first_of(",;", start), text.size());
        while (end > start && std::string_view(".!?").contains(text[end - 1])) --end;
        if (end > start) return text.substr(start, end - start);
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> string_value(const Property& property) const {
    if (auto value = labelled(property)) return value;
    if (is_one_of(property.name, kAnswerNames) && findings_.is_found) return findings_.text;
    if (is_one_of(property.name, kQuoteNames) && !findings_.quotes.empty()) return findings_.quotes.front();
    if (property.hint) {
      if (auto value = span(property, *property.hint)) return value;
      if (*property.hint == SpanKind::email || *property.hint == SpanKind::url ||
          *property.hint == SpanKind::phone) {
        return std::nullopt;
      }
    }
    if (auto value = predicate(property)) return value;
    const Selection selection = best_for(property);
    if (!selection.sentences.empty()) return material_.plain(selection.best);
    return std::nullopt;
  }

  std::optional<std::string> number_value(const Property& property, bool is_integer) const {
    if (const auto value = labelled(property)) {
      if (auto number = json_number(
              value->substr(std::min(value->find_first_of("0123456789"), value->size())), is_integer)) {
        return number;
      }
    }
    const Selection selection = best_for(property);
    if (selection.sentences.empty()) return std::nullopt;
    const std::string text = material_.plain(selection.best);
    std::optional<std::string_view> found;
    if (property.hint == SpanKind::time) found = find_span(text, SpanKind::time, property.terms);
    if (property.hint == SpanKind::money) found = find_span(text, SpanKind::money, property.terms);
    if (!found) found = find_span(text, SpanKind::number, property.terms);
    if (!found) return std::nullopt;
    // A date's year, an amount's figure.
    size_t start = std::min(found->find_first_of("0123456789"), found->size());
    if (property.hint == SpanKind::time) {
      const size_t year = find_year(*found);
      if (year != found->npos) start = year;
    }
    return start < found->size() ? json_number(found->substr(start), is_integer) : std::nullopt;
  }

  static size_t find_year(std::string_view text) {
    size_t digits = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
      const bool is_digit = i < text.size() && text[i] >= '0' && text[i] <= '9';
      if (!is_digit && digits == 4) return i - 4;
      digits = is_digit ? digits + 1 : 0;
    }
    return text.npos;
  }

  std::optional<std::string> boolean_value(const Property& property) const {
    const auto value = labelled(property);
    if (!value) return std::nullopt;
    const std::string word = to_lower(trim(*value));
    if (word.starts_with("yes") || word.starts_with("true")) return "true";
    if (word.starts_with("no") || word.starts_with("false")) return "false";
    return std::nullopt;
  }

  // The value of an enum that the text speaks of: in the best sentence, else anywhere.
  std::optional<std::string> choice(const Property& property, JsonValue values) const {
    const Selection selection = best_for(property);
    const auto spoken_in = [&](size_t i) -> std::optional<std::string> {
      for (const JsonValue value : values) {
        const auto terms = index_terms(value.string_or(value.raw()));
        const auto& said = material_.terms(i);
        const bool has_all = !terms.empty() && std::ranges::all_of(terms, [&](const std::string& term) {
          return std::ranges::find(said, term) != said.end();
        });
        if (has_all) return std::string(value.raw());
      }
      return std::nullopt;
    };
    if (!selection.sentences.empty()) {
      if (auto value = spoken_in(selection.best)) return value;
    }
    for (size_t i = 0; i < material_.size(); ++i) {
      if (auto value = spoken_in(i)) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string> array_value(const Property& property, JsonValue items) const {
    if (items && !has_type(items, "string")) return std::nullopt;
    std::vector<std::string> values;
    if (is_one_of(property.name, kQuoteNames)) {
      values = findings_.quotes;
    } else if (const auto line = labelled(property)) {
      for (const std::string_view part : split(*line, ',')) values.emplace_back(trim(part));
    } else {
      Ask ask;
      ask.wants_list = true;
      for (const size_t i : select_answer(material_, property.query, ask).sentences)
        values.push_back(material_.plain(i));
    }
    if (values.empty()) return std::nullopt;
    if (values.size() > kItemsMax) values.resize(kItemsMax);
    std::string out;
    JsonWriter writer(out);
    writer.begin_array();
    for (const std::string& value : values) writer.value(value);
    writer.end_array();
    return out;
  }

  const Material& material_;
  const ExtractFindings& findings_;
};

}  // namespace

std::string write_findings_json(const ExtractFindings& findings) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("answer").value(findings.text).key("quotes").begin_array();
  for (const std::string& quote : findings.quotes) writer.value(quote);
  writer.end_array().end_object();
  return out;
}

Result<std::string> fill_schema(std::string_view schema, const Material& material,
                                const ExtractFindings& findings) {
  const JsonDoc doc = TRY(JsonDoc::parse(std::string(schema)));
  return Filler(material, findings).object(doc.root(), 0);
}

}  // namespace weir
