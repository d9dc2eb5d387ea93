// One model call over HTTP: authenticate, read, decode, authorise, run the pipeline, write the answer.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "api/endpoints.h"
#include "gateway/kept_texts.h"
#include "gateway/observer.h"
#include "gateway/snapshot.h"
#include "gateway/stage.h"
#include "io/http.h"
#include "io/pool.h"

namespace weir {

// What the handlers of one core work with. All outlive the handlers.
struct CoreServices {
  Core* core = nullptr;
  const Pipeline* pipeline = nullptr;
  ExchangeObserver* observer = nullptr;
  Pool* cpu = nullptr;                             // for bodies too large for a core
  KeptTexts* responses = nullptr;                  // stored answers
  std::shared_ptr<const Snapshot> snapshot;        // replaced by a reload, on this core's thread
  std::atomic<int64_t>* exchanges_open = nullptr;  // of the process
  const std::atomic<bool>* is_draining = nullptr;
  double trace_sample_ratio = 0;  // of the traces that begin here; a caller's own decision wins
};

// Serves a request whose endpoint is a model call. Errors that the client can be told are written in its
// dialect; an Error comes back only when the connection must be broken off.
Task<void> serve_model_call(CoreServices& services, EndpointMatch match, Scope& scope, HttpRequest& request,
                            BodyReader& body, ResponseWriter& response);

}  // namespace weir
