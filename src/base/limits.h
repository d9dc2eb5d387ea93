// The bounds of the process, by name: nothing that grows with input grows past one of these. Settings may
// lower some of them (and say so in their row); a queue or buffer without a name here is a bug. Sizes are
// bytes unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;
inline constexpr size_t kGiB = 1024 * kMiB;

// Admission: past these a newcomer gets 503 with Retry-After at once.
// Client connections open at one time, over all cores and listeners; one more is closed after its 503.
inline constexpr size_t kConnectionsMax = 10'000;
// Exchanges (model calls) in flight at one time, over all cores.
inline constexpr size_t kExchangesMax = 8'000;

// HTTP requests.
// The request line and all header fields of one request; more is head_too_large (431).
inline constexpr size_t kRequestHeadBytesMax = 64 * kKiB;
// Header fields in one request or upstream answer, trailers counted on their own.
inline constexpr size_t kHeaderCountMax = 100;
// One request body, unless a setting says otherwise, or one whole (not streamed) upstream answer after
// decompression; more is body_too_large (413).
inline constexpr size_t kBodyBytesMax = 64 * kMiB;
// All bodies held by the process at one time; a body that would not fit is refused as overloaded.
inline constexpr size_t kBodyBudgetBytes = 1 * kGiB;
// The response head that a provider may send, so that a hostile upstream cannot fill memory with headers.
inline constexpr size_t kResponseHeadBytesMax = 64 * kKiB;

// Forms (multipart/form-data), which pass through. What is held of one until the name of its model has come:
// more than the 25 MB that vendors take as a sound file, which some SDKs send first.
inline constexpr size_t kFormHeldBytesMax = 32 * kMiB;
// The header fields of one part, its delimiter included.
inline constexpr size_t kFormPartHeadBytesMax = 8 * kKiB;
// Parts of one form.
inline constexpr size_t kFormPartsMax = 256;

// HTTP/2.
// Streams that one client may have open on one connection (SETTINGS_MAX_CONCURRENT_STREAMS).
inline constexpr uint32_t kHttp2StreamsMax = 256;
// The decoded header list of one stream, CONTINUATION frames included (SETTINGS_MAX_HEADER_LIST_SIZE).
inline constexpr uint32_t kHttp2HeaderListBytesMax = 64 * 1024;
// The window over which the three floods below are counted, per connection; past a count: GOAWAY,
// ENHANCE_YOUR_CALM.
inline constexpr int64_t kHttp2FloodWindowMs = 10'000;
// RST_STREAM frames from the client in that window (rapid reset, CVE-2023-44487), resets that it makes Weir
// do (CVE-2025-8671), and PRIORITY frames.
inline constexpr uint32_t kHttp2ResetsPerWindowMax = 500;
// PING frames from the client in that window, each of which costs an answer, and DATA frames without bytes.
inline constexpr uint32_t kHttp2PingsPerWindowMax = 100;
// SETTINGS frames from the client in that window, each of which costs an acknowledgement.
inline constexpr uint32_t kHttp2SettingsPerWindowMax = 50;

// JSON.
// Nested arrays and objects in any text that Weir reads. Each object within a tool's schema is two of them.
inline constexpr int kJsonDepthMax = 200;
// Values in one text: bounds the node table (24 bytes a value, 24 for its key) of a body that is all commas.
inline constexpr size_t kJsonNodesMax = 2'000'000;
// A larger JSON body is decoded and encoded in the worker pool, since nothing on a core may run over 200 µs.
inline constexpr size_t kJsonBytesOnCoreMax = 256 * kKiB;

// Streams.
// Bytes of a request that came and were not taken yet: of a form that passes by, of a stream of HTTP/2. When
// full, reading stops. An answer is pulled, one read at a time, so that less than that is ever held of it.
inline constexpr size_t kStreamWindowBytes = 256 * kKiB;
// One server-sent event, all its lines together; more is upstream_malformed.
inline constexpr size_t kSseEventBytesMax = 16 * kMiB;
// One frame of AWS event-stream framing, prelude and checksums included; more is upstream_malformed.
inline constexpr size_t kEventStreamFrameBytesMax = 16 * kMiB;
// What is kept of a provider's error answer, for the log and for the words that tell its kind.
inline constexpr size_t kProviderBodyMax = 4 * kKiB;

// A file that a person named: the configuration, what it refers to, a body for a measurement.
inline constexpr size_t kNamedFileBytesMax = 64 * kMiB;

// Store.
// Changes waiting for the thread that writes to the database, as bytes of their values; one more is
// overloaded.
inline constexpr size_t kStoreWriteQueueBytesMax = 64 * kMiB;
// Changes that one commit makes durable together.
inline constexpr size_t kStoreGroupMax = 256;
// Queries waiting for a connection that reads; one more is overloaded.
inline constexpr size_t kStoreReadQueueMax = 1'024;
// Rows that one query may give.
inline constexpr size_t kStoreRowsMax = 10'000;
// Prepared statements that one connection keeps.
inline constexpr size_t kStoreStatementsMax = 128;

// What Weir keeps for a caller between its requests (gateway/kept_texts.h); in memory, then on disk.
// What one model turn may leave behind: its thinking with signatures. A larger one is not kept.
inline constexpr size_t kTurnBytesMax = 1 * kMiB;
// One stored answer with the items that led to it. A larger one is not kept.
inline constexpr size_t kStoredResponseBytesMax = 16 * kMiB;

// What adapting a request to its target may cost.
// URLs in one request that Weir fetches for a target that cannot.
inline constexpr size_t kFetchesPerRequestMax = 16;
// Choices that one request may ask for where each is a call of its own; they run at the same time.
inline constexpr size_t kChoiceCallsMax = 8;
// Batches that one request for embeddings may be cut into, and how many of them run at the same time.
inline constexpr size_t kBatchesMax = 256;
inline constexpr size_t kBatchesParallelMax = 4;
// An answer that is held back until it was validated against its schema.
inline constexpr size_t kValidatedAnswerBytesMax = 4 * kMiB;
// Steps of one validation: bounds a schema whose branches multiply.
inline constexpr size_t kSchemaStepsMax = 100'000;

// Queues.
// Log lines of one of the logger's queues that wait for the writer; a line more is dropped and counted, since
// a slow disk must not stop traffic.
inline constexpr size_t kLogQueueBytesMax = 1 * kMiB;
// Spans that wait for the collector of traces, as JSON; more are dropped and counted.
inline constexpr size_t kTraceQueueBytesMax = 4 * kMiB;
// Exchanges waiting for a permit of one target; one more is overloaded.
inline constexpr size_t kTargetWaitersMax = 1'024;
// What models' names come to, remembered on one core; past it they are found out anew.
inline constexpr size_t kRoutePlansMax = 1'000;

}  // namespace weir
