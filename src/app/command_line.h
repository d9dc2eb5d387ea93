// The commands of `weir`, their options and their help.
#pragma once

namespace weir {

// Exit status: 0 done; 1 the command failed, and said why on stderr; 2 the command line is wrong.
int run_command_line(int argc, char** argv);

}  // namespace weir
