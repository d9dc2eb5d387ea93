// What a request to weir/extract asks for: the material apart from the question, the task, and the wished
// form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// A user message taken apart. Both are made of parts of the message; one of them may be empty.
struct Prompt {
  std::string material;  // text to answer from
  std::string ask;       // what to do with it
};

// Takes one message apart, by the first of these that fits: <document>, <context> and similar tags;
// "Context:" and "Question:" labels; """quoted""" text; the last paragraph or sentence that asks (ends with
// "?" or starts with an imperative); a first one that does. A long text that asks nothing is all material, a
// short one all question.
Prompt split_prompt(std::string_view message);

// Instructions taken apart the same way: `material` is what they state, `ask` what they tell the model to do
// or to be
// ("You are ...", "Answer in one sentence."), by sentences where there are no tags or labels.
Prompt split_instructions(std::string_view instructions);

// What an answer has to have in it.
enum class AnswerKind : uint8_t {
  any,
  person,
  place,
  time,
  quantity,
  money,
  email,
  url,
  phone,
  reason,
  manner,
  definition
};

enum class AskTask : uint8_t {
  answer,
  summarise,
  introduce,  // a greeting, or a question about the model itself
};

struct Ask {
  AskTask task = AskTask::answer;
  AnswerKind kind = AnswerKind::any;
  bool wants_bullets = false;
  bool wants_list = false;  // "which are", "list", "name all": several sentences answer
  bool wants_brief = false;
  bool wants_span = false;  // "only the year", "in one word": the thing itself rather than its sentence
  size_t sentences = 0;     // asked-for number of sentences or bullets, 0: not said
  size_t words_max = 0;     // 0: not said
};

// The part of an ask that names its topic: its questions, without wishes such as "Answer in one sentence.";
// all of it when it has no question.
std::string question_in(std::string_view ask);

// Reads the task and the form from the question; instructions may say the form too, and the question goes
// before.
Ask read_ask(std::string_view ask, std::string_view instructions);

}  // namespace weir
