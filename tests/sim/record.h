// What was seen of a run from outside the gateway: by the providers, by the callers and by the observer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/observer.h"
#include "sim/script.h"

namespace weir::sim {

// One request as a provider saw it.
struct Served {
  std::string exchange_id;
  std::string span_id;  // of the attempt, from traceparent
  size_t target = 0;
  Script script;
  MonoTime at{};
  bool is_sent = false;              // every byte of the script was handed over
  std::optional<MonoTime> gone;      // when the gateway had closed the connection, as far as anybody looked
  std::optional<std::string> wrong;  // what was wrong with the request
};

// One call as its caller saw it.
struct Call {
  MonoTime started{};
  std::optional<MonoTime> ended;
  int status = 0;  // 0: no head came
  Headers headers;
  std::string body;
  bool is_complete = false;  // the end of the body was there
  bool hung_up = false;
};

// One exchange as the observer was told.
struct Ended {
  std::string id;
  size_t caller = 0;
  ExchangeOutcome outcome;
  std::vector<Attempt> attempts;
  Usage usage;
  bool is_raw = false;
  MonoTime first_byte{};
  MonoTime at{};
  std::string log_line;
};

struct Record {
  std::vector<Served> served;
  std::vector<Call> calls;             // one for each caller of the plan
  std::map<std::string, int> started;  // by exchange id
  std::vector<Ended> ended;
  std::optional<MonoTime> stopped;  // when the server was told to drain
  size_t refusals = 0;              // of connects
  std::vector<std::string> leaks;   // what had not settled when all was over
  std::string trace;                // when asked for
};

}  // namespace weir::sim
