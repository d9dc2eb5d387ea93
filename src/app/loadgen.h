// The load generator behind `weir bench`: one thread, non-blocking sockets, one request sent again and again
// over keep-alive connections of plain HTTP/1.1.
//
// Closed loop: each connection sends its next request when the last one is answered. Open loop: request i is
// meant to leave at start + i / rate whatever happened to the others, and every latency counts from that
// moment, so a server that stalls is charged for the requests that had to wait for it (no coordinated
// omission).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <sys/socket.h>

#include "app/loadgen_histogram.h"
#include "base/result.h"
#include "io/http.h"

namespace weir {

// A resolved address to connect to.
struct LoadAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool is_loopback() const;
};
// Resolves a name or literal; blocks. Errors: bad_request.
Result<LoadAddress> resolve_load_address(const Origin& origin);

struct LoadPlan {
  LoadAddress address;
  std::string request;                          // head and body as they go over the wire
  std::string_view method = "POST";             // REQUIRES a literal
  double rate = 0;                              // requests a second; 0: closed loop
  size_t connections_max = 1;                   // closed loop: how many; open loop: at most so many
  uint64_t requests_max = 0;                    // 0: as many as fit into `duration`
  Duration duration{};                          // of sending, warm-up included; zero: until requests_max
  Duration warm_up{};                           // requests meant to leave before it are sent but not reported
  Duration timeout = std::chrono::seconds(60);  // of one request, from when it is sent
  bool is_stream = false;                       // an answer that is not a finished event stream is an error
};

struct LoadReport {
  Duration elapsed{};      // from the end of the warm-up to the last answer
  uint64_t completed = 0;  // answered with 2xx and, for streams, with their final event; warm-up left out
  uint64_t completed_with_warm_up = 0;
  uint64_t unsent = 0;  // open loop: were due, but no connection was free until the end
  uint64_t events = 0;  // of streams
  uint64_t body_bytes = 0;
  uint64_t connections_opened = 0;
  // By kind: connect, reset, timeout, malformed, truncated, no_final_event, error_event, status_NNN.
  std::map<std::string, uint64_t> errors;
  LoadHistogram latency;      // of completed requests, to the last byte
  LoadHistogram first_event;  // of completed streams, to the first event
  LoadHistogram event_gap;    // between events as they came; those that came together have gaps of 0

  uint64_t errors_count() const;
  double throughput() const;  // completed requests a second
};

// Runs the plan to its end on the calling thread. Requests under way when the time is over are waited for.
// Errors: internal when no sockets can be had. REQUIRES duration or requests_max.
Result<LoadReport> run_load(const LoadPlan& plan);

}  // namespace weir
