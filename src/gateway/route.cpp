#include "gateway/route.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "gateway/model_name.h"
#include "gateway/wildcard.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 6> kStrategyNames = {"weighted",   "least_latency", "least_cost",
                                                            "least_busy", "round_robin",   "ordered"};

// The name that the pattern would take, for one who wrote its fixed beginning nearly so; else the pattern.
std::string nearly_matched(const Route& route, std::string_view model) {
  const size_t star = route.pattern.find('*');
  const std::string_view before = std::string_view(route.pattern).substr(0, star);
  const std::string_view after = std::string_view(route.pattern).substr(star + 1);
  size_t head = before.size();
  if (before.ends_with('/')) {
    // A provider's name ends at its slash, however long somebody made it.
    head = 0;
    for (auto slashes = std::count(before.begin(), before.end(), '/'); slashes > 0; --slashes) {
      const size_t slash = model.find('/', head);
      if (slash == std::string_view::npos) return route.pattern;
      head = slash + 1;
    }
  }
  if (head >= model.size() || edit_distance(model.substr(0, head), before) > std::max<size_t>(1, head / 3))
    return route.pattern;
  std::string_view rest = model.substr(head);
  if (rest.size() <= after.size()) return route.pattern;
  rest.remove_suffix(after.size());
  return std::string(before).append(rest).append(after);
}

}  // namespace

std::string_view to_string(Strategy strategy) {
  return kStrategyNames[static_cast<size_t>(strategy)];
}

std::optional<Strategy> strategy_from_string(std::string_view name) {
  for (size_t i = 0; i < kStrategyNames.size(); ++i) {
    if (kStrategyNames[i] == name) return static_cast<Strategy>(i);
  }
  return std::nullopt;
}

Result<RouteTable> RouteTable::make(std::vector<std::unique_ptr<Route>> routes,
                                    std::vector<std::pair<std::string, std::string>> aliases,
                                    const std::vector<std::string>& known) {
  RouteTable table;
  table.exact_.reserve(routes.size() + aliases.size());
  for (const auto& route : routes) {
    const auto stars = std::count(route->pattern.begin(), route->pattern.end(), '*');
    if (stars > 1) {
      return fail(ErrorKind::bad_request, fmt::format("the route {} has more than one '*'", route->pattern));
    }
    const bool is_new =
        stars == 0 ? table.exact_.emplace(route->pattern, route.get()).second
                   : std::none_of(table.wildcards_.begin(), table.wildcards_.end(),
                                  [&](const Route* other) { return other->pattern == route->pattern; });
    if (!is_new)
      return fail(ErrorKind::bad_request, fmt::format("there are two routes for {}", route->pattern));
    if (stars == 1) table.wildcards_.push_back(route.get());
  }
  std::sort(table.wildcards_.begin(), table.wildcards_.end(), [](const Route* a, const Route* b) {
    return std::make_pair(b->pattern.size(), std::string_view(a->pattern)) <
           std::make_pair(a->pattern.size(), std::string_view(b->pattern));
  });
  for (auto& [alias, target] : aliases) {
    const auto match = table.find(target);
    if (!match) {
      return fail(ErrorKind::bad_request, fmt::format("the alias {}: {}", alias, match.error().message));
    }
    if (!match->wildcard.empty()) {
      table.renamed_.emplace(alias, std::make_pair(match->route, target));
    } else if (!table.exact_.emplace(alias, match->route).second) {
      return fail(ErrorKind::bad_request, fmt::format("the alias {} has the name of a route", alias));
    }
  }
  table.routes_ = std::move(routes);
  table.list_names(known);
  return table;
}

Result<RouteTable::Match> RouteTable::find(std::string_view model) const {
  TRY(check_model_name(model));
  if (const auto found = exact_.find(model); found != exact_.end())
    return Match{.route = found->second, .wildcard = {}};
  if (const auto found = renamed_.find(model); found != renamed_.end()) {
    const auto& [route, target] = found->second;
    return Match{.route = route, .wildcard = starred_part(route->pattern, target).value_or("")};
  }
  for (const Route* route : wildcards_) {
    if (const auto part = starred_part(route->pattern, model))
      return Match{.route = route, .wildcard = *part};
  }
  std::vector<std::string_view> known;
  known.reserve(exact_.size() + renamed_.size() + wildcards_.size());
  for (const auto& [name, route] : exact_) known.push_back(name);
  for (const auto& [name, target] : renamed_) known.push_back(name);
  std::vector<std::string> nearly;
  nearly.reserve(wildcards_.size());
  for (const Route* route : wildcards_) known.push_back(nearly.emplace_back(nearly_matched(*route, model)));
  std::sort(known.begin(), known.end());
  return fail(ErrorKind::model_not_found,
              fmt::format("there is no model {}{}", model, did_you_mean(model, known)), "model");
}

void RouteTable::list_names(const std::vector<std::string>& known) {
  names_.reserve(exact_.size() + renamed_.size() + known.size());
  for (const auto& [name, route] : exact_) names_.push_back(name);
  for (const auto& [name, target] : renamed_) names_.push_back(name);
  for (const std::string& name : known) {
    if (find(name)) names_.push_back(name);
  }
  std::ranges::sort(names_);
  const auto twice = std::ranges::unique(names_);
  names_.erase(twice.begin(), twice.end());
}

}  // namespace weir
