// The histogram boundaries that Weir uses: upper bounds, inclusive, ascending; the bucket above the last is
// implied.
#pragma once

#include <array>

namespace weir {

// OpenTelemetry GenAI conventions v1.41: gen_ai.client.token.usage, in tokens.
inline constexpr std::array<double, 14> kTokenBuckets = {
    1, 4, 16, 64, 256, 1024, 4096, 16'384, 65'536, 262'144, 1048576, 4'194'304, 16'777'216, 67'108'864};

// The same: gen_ai.client.operation.duration, gen_ai.server.request.duration and the chunk times, in seconds.
inline constexpr std::array<double, 14> kDurationBuckets = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                                            1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};

// The same: gen_ai.server.time_to_first_token, in seconds.
inline constexpr std::array<double, 16> kTimeToFirstTokenBuckets = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

// The same: gen_ai.server.time_per_output_token, in seconds.
inline constexpr std::array<double, 13> kTimePerOutputTokenBuckets = {
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5};

// Weir's own time on a request, 1 µs to 1 s, in seconds: fine where Weir ought to be, coarse where it ought
// not.
inline constexpr std::array<double, 27> kOverheadBuckets = {
    1e-6,   2e-6,   3e-6,   5e-6,  7e-6,  10e-6, 15e-6, 20e-6, 30e-6, 50e-6, 70e-6, 100e-6, 150e-6, 200e-6,
    300e-6, 500e-6, 700e-6, 0.001, 0.002, 0.005, 0.01,  0.02,  0.05,  0.1,   0.2,   0.5,    1};

}  // namespace weir
