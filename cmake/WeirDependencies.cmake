# What Weir links, each from a Debian package named in tools/packages.txt. Static wherever Debian ships an archive.
find_package(Threads REQUIRED)

function(weir_import name header archive)
  find_path(${archive}_INCLUDE ${header} REQUIRED)
  find_library(${archive}_FILE NAMES ${archive} REQUIRED)
  add_library(${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${${archive}_FILE})
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()

weir_import(OpenSSL::Crypto openssl/evp.h libcrypto.a Threads::Threads dl)
weir_import(OpenSSL::SSL openssl/ssl.h libssl.a OpenSSL::Crypto)
weir_import(ZSTD::static zstd.h libzstd.a)
weir_import(ZLIB::static zlib.h libz.a)
weir_import(NGHTTP2::static nghttp2/nghttp2.h libnghttp2.a)
weir_import(CARES::static ares.h libcares.a)
weir_import(SQLite::static sqlite3.h libsqlite3.a m)
weir_import(PCRE2::8 pcre2.h libpcre2-8.a)
weir_import(fmt::shared fmt/core.h libfmt.so)
weir_import(yaml-cpp::static yaml-cpp/yaml.h libyaml-cpp.a)
weir_import(simdjson simdjson.h libsimdjson.so)

find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
add_library(CLI11::CLI11 INTERFACE IMPORTED GLOBAL)

# Tests need GoogleTest and the microbenchmarks Google Benchmark; the program needs neither, so `make build` does not install them.
find_package(GTest QUIET)
if(NOT TARGET GTest::gmock)  # a package of its own: a machine may have GoogleTest without it
  set(GTest_FOUND FALSE)
endif()
if(NOT GTest_FOUND AND NOT WEIR_FLAVOUR STREQUAL "release")
  message(FATAL_ERROR "GoogleTest is missing; tools/install.sh test installs it")
endif()
find_package(benchmark QUIET)

# What http1_fuzz compares itself with: llhttp's C sources, a build input of Node that Debian packages without a library.
if(WEIR_FLAVOUR STREQUAL "test" AND EXISTS /usr/share/llhttp/llhttp.c)
  enable_language(C)
  set(llhttp /usr/share/llhttp)
  add_library(http1_fuzz_oracle STATIC EXCLUDE_FROM_ALL ${llhttp}/api.c ${llhttp}/http.c ${llhttp}/llhttp.c)
  target_include_directories(http1_fuzz_oracle SYSTEM PUBLIC /usr/share/include/llhttp)
  target_compile_definitions(http1_fuzz_oracle PUBLIC WEIR_HAS_LLHTTP LLHTTP_STRICT_MODE=1)
  target_compile_options(http1_fuzz_oracle PRIVATE -w)
endif()
