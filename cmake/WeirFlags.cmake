# Compiler flags of the three flavours. Debug information is line tables only (-g1): it keeps builds and links quick.
set(CMAKE_CXX_FLAGS_RELEASE "")
set(CMAKE_C_FLAGS_RELEASE "")
add_compile_options(-g1 -pthread -fno-omit-frame-pointer -fstack-protector-strong)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion> $<$<COMPILE_LANGUAGE:CXX>:-Wshadow> $<$<COMPILE_LANGUAGE:CXX>:-Werror>
  $<$<COMPILE_LANGUAGE:CXX>:-Wno-gnu-statement-expression>)
add_link_options(-fuse-ld=lld -pthread)

if(WEIR_FLAVOUR STREQUAL "release")
  add_compile_options(-O2 -D_FORTIFY_SOURCE=2 -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now -static-libstdc++ -static-libgcc)
  # The folders are libraries of their own, and a request goes through all of them: optimised as a whole it takes a
  # tenth fewer instructions. The cache keeps the machine code of what has not changed since the last link.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-flto=thin>)
  # Archives of what is optimised as a whole: by the compiler's own archiver, also where CMake remembers another.
  find_program(WEIR_AR NAMES llvm-ar-19 llvm-ar REQUIRED)
  find_program(WEIR_RANLIB NAMES llvm-ranlib-19 llvm-ranlib REQUIRED)
  set(CMAKE_AR ${WEIR_AR})
  set(CMAKE_RANLIB ${WEIR_RANLIB})
  add_link_options(-flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto
                   -Wl,--thinlto-cache-policy=cache_size_bytes=500m)

  # Laid out by the ways that requests take, as `make profile` counted them. A function is known by its file's
  # name, not its path; one that has changed since is compiled as without a profile.
  add_compile_options("SHELL:-mllvm -static-func-full-module-prefix=false")
  set(profile ${CMAKE_SOURCE_DIR}/cmake/release.profdata)
  if(WEIR_PROFILING)
    add_compile_options(-fprofile-generate)
    add_link_options(-fprofile-generate)
  elseif(EXISTS ${profile})
    # Another profile is another command line, so that everything is compiled anew.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${profile})
    file(SHA1 ${profile} profile_hash)
    add_compile_definitions(WEIR_PROFILE_${profile_hash})
    add_compile_options(-fprofile-use=${profile} -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled
                        -Wno-backend-plugin)
    # What is called often is not copied more readily into what no profile knows: it would grow by a quarter.
    add_compile_options("SHELL:-mllvm -inlinehint-threshold=225")
    add_link_options(-Wl,-z,keep-text-section-prefix -Wl,-mllvm,-inlinehint-threshold=225)
  endif()
elseif(WEIR_FLAVOUR STREQUAL "test")
  # The library's assertions catch what the sanitizers cannot see: an empty optional, a span's or a view's end.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_compile_options(-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=address,undefined)
elseif(WEIR_FLAVOUR STREQUAL "tsan")
  add_compile_options(-O1 -fsanitize=thread)
  add_link_options(-fsanitize=thread)
else()
  message(FATAL_ERROR "WEIR_FLAVOUR is '${WEIR_FLAVOUR}': use the preset release, test, tsan or arm64")
endif()

# No path of the machine that builds ends up in the binary, in an assertion or in a stack trace.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

# A compiler cache makes the second build take seconds; where there is none, the build only takes longer.
# The precompiled header needs a stable timestamp for that.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()
