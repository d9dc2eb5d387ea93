#include "provider/aws_profile.h"

#include <fmt/core.h>
#include <optional>

#include "base/text.h"

namespace weir {
namespace {

// Without a comment behind it: '#' or ';' after white space.
std::string_view without_comment(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == '#' || text[i] == ';') && is_space(text[i - 1])) return trim(text.substr(0, i));
  }
  return trim(text);
}

// The profile that a section is, by its text between the brackets; nullopt for sections of other things.
std::optional<std::string> profile_of(AwsProfileFile file, std::string_view section) {
  if (file == AwsProfileFile::credentials || section == "default") return std::string(section);
  constexpr std::string_view kProfile = "profile";
  if (!section.starts_with(kProfile)) return std::nullopt;
  section.remove_prefix(kProfile.size());
  if (section.empty() || !is_space(section.front())) return std::nullopt;
  section = trim(section);
  if (section.size() >= 2 && section.front() == '"' && section.back() == '"') {
    section = section.substr(1, section.size() - 2);
  }
  return section.empty() ? std::nullopt : std::optional(std::string(section));
}

}  // namespace

Result<void> AwsProfiles::add(AwsProfileFile file, std::string_view text) {
  Settings* settings = nullptr;
  bool is_in_section = false;
  int number = 0;
  const auto refuse = [&number](std::string_view what) {
    return fail(ErrorKind::bad_request, fmt::format("line {}: {}", number, what));
  };
  std::map<std::string, Settings> found;
  for (const std::string_view whole : split(text, '\n')) {
    if (++number > kLinesMax) return refuse("the file has too many lines");
    const std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (is_in_section && is_space(whole.front())) continue;  // nested below the setting before
    if (line.front() == '[') {
      const size_t end = line.find(']');
      if (end == std::string_view::npos) return refuse("a section ends with ']'");
      const std::string_view behind = trim(line.substr(end + 1));
      if (!behind.empty() && behind.front() != '#' && behind.front() != ';') {
        return refuse("nothing stands behind a section");
      }
      const std::optional<std::string> name = profile_of(file, trim(line.substr(1, end - 1)));
      settings = name ? &found[*name] : nullptr;
      is_in_section = true;
      continue;
    }
    const auto pair = split_once(line, '=');
    if (!pair || trim(pair->first).empty()) return refuse("a setting is name = value");
    if (!is_in_section) return refuse("a setting stands in a section");
    if (settings) (*settings)[to_lower(trim(pair->first))] = without_comment(pair->second);
  }
  for (auto& [name, values] : found) profiles_[name].merge(values);
  return {};
}

const AwsProfiles::Settings* AwsProfiles::find(const std::string& name) const {
  const auto found = profiles_.find(name);
  return found == profiles_.end() ? nullptr : &found->second;
}

}  // namespace weir
