// Commands that talk to a running server: `weir chat`, `weir models` and `weir dialects` to its data plane,
// `weir reload` and `weir status` to its admin plane.
#pragma once

#include <string>
#include <string_view>

namespace weir {

struct ClientOptions {
  std::string url;       // of the plane that the command talks to
  std::string key;       // empty: none
  bool is_json = false;  // output for programs
};

struct ChatOptions {
  ClientOptions client;
  std::string model;
  std::string message;
  std::string system;
};

// What went wrong, of any command: a line on stderr for people, `{"error": {"message": ...}}` on stdout for
// programs.
void print_error(std::string_view message);
void print_error_json(std::string_view message);

// Streams the answer to stdout; usage and timing go to stderr. With is_json: the server's whole answer. Exit
// status 0 or 1.
int chat_command(const ChatOptions& options);
struct DialectsOptions {
  ClientOptions client;
  std::string model;  // empty: every configured provider
};

// What each target carries, emulates or refuses of each dialect, as tables.
int dialects_command(const DialectsOptions& options);
// The models that this caller may use, one a line.
int models_command(const ClientOptions& options);
// Makes the server read its configuration again. Exit status 1: nothing has changed.
int reload_command(const ClientOptions& options);
// How the server's providers, keys and targets are.
int status_command(const ClientOptions& options);

}  // namespace weir
