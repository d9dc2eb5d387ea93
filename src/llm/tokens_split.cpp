#include "llm/tokens_split.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string>

#include "search/unicode.h"

namespace weir {
namespace {

// The characters of White_Space, which \s means to tiktoken; PCRE2's own \s adds U+180E.
#define SPACES R"(\t-\r\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})"
#define SPACE "[" SPACES "]"
#define NOT_SPACE "[^" SPACES "]"
#define UPPER_LIKE R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER_LIKE R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define SYMBOL "[^" SPACES R"(\p{L}\p{N}])"
#define SUFFIX R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?+)"

// As published, with the possessive marks that cannot change what matches; \z is the $ of Rust's regular
// expressions.
constexpr char kCl100k[] =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?)" SYMBOL R"(++[\r\n]*+|)" SPACE
    R"(++\z|)" SPACE R"(*[\r\n]|)" SPACE "+(?!" NOT_SPACE ")|" SPACE;

constexpr char kO200k[] =
    R"([^\r\n\p{L}\p{N}]?)" UPPER_LIKE "*" LOWER_LIKE "++" SUFFIX R"(|[^\r\n\p{L}\p{N}]?)" UPPER_LIKE
    "++" LOWER_LIKE "*+" SUFFIX R"(|\p{N}{1,3}+| ?)" SYMBOL R"(++[\r\n/]*+|)" SPACE R"(*[\r\n]++|)" SPACE
    "+(?!" NOT_SPACE ")|" SPACE "++";

#undef SPACES
#undef SPACE
#undef NOT_SPACE
#undef UPPER_LIKE
#undef LOWER_LIKE
#undef SYMBOL
#undef SUFFIX

constexpr size_t kJitStackStartBytes = 16 << 10;
constexpr size_t kJitStackMaxBytes = 1 << 20;

// What one thread needs while matching; any pattern without captures can use it.
struct Scratch {
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(kJitStackStartBytes, kJitStackMaxBytes, nullptr);

  Scratch() { pcre2_jit_stack_assign(context, nullptr, stack); }
  Scratch(const Scratch&) = delete;
  ~Scratch() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
  }
};

Scratch& scratch() {
  thread_local Scratch per_thread;
  return per_thread;
}

}  // namespace

struct TokenSplitter::State {
  pcre2_code* code = nullptr;
  // Without JIT (a kernel that forbids writable code) pcre2_match gives the same pieces at a tenth of the
  // speed.
  decltype(&pcre2_match_8) match = &pcre2_match_8;

  ~State() { pcre2_code_free(code); }
};

TokenSplitter::TokenSplitter(SplitPattern pattern) : state_(std::make_unique<State>()) {
  const char* text = pattern == SplitPattern::o200k_base ? kO200k : kCl100k;
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  state_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED,
                               PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, &error,
                               &error_offset, nullptr);
  if (pcre2_jit_compile(state_->code, PCRE2_JIT_COMPLETE) == 0) state_->match = &pcre2_jit_match_8;
}

TokenSplitter::~TokenSplitter() = default;
TokenSplitter::TokenSplitter(TokenSplitter&&) noexcept = default;

size_t TokenSplitter::piece_at(std::string_view text, size_t offset) const {
  Scratch& mine = scratch();
  const int result = state_->match(state_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   offset, PCRE2_NO_UTF_CHECK, mine.match, mine.context);
  if (result <= 0) {
    // The patterns match at every character, so this is a match limit or memory: go on by one character.
    return decode_utf8(text, offset).size;
  }
  return pcre2_get_ovector_pointer(mine.match)[1] - offset;
}

}  // namespace weir
