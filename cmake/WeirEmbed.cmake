# weir_embed(FOLDER SYMBOL FILE): makes FILE available in the binary as `extern const std::string_view SYMBOL`
# (namespace weir::embedded, declared by the code that uses it). The assembler copies the bytes, so it costs no compile time.
function(weir_embed folder symbol file)
  set(asm ${CMAKE_BINARY_DIR}/embed/${symbol}.S)
  set(cpp ${CMAKE_BINARY_DIR}/embed/${symbol}.cpp)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.S.in ${asm} @ONLY)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.cpp.in ${cpp} @ONLY)
  set_source_files_properties(${asm} PROPERTIES OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  set_source_files_properties(${cpp} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_sources(weir_${folder} PRIVATE ${asm} ${cpp})
endfunction()

# The embedded files of each folder, by name; a missing file is left out until it exists.
file(GLOB WEIR_EMBEDDABLE CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/config/*.yaml ${CMAKE_SOURCE_DIR}/third_party/*/*.zst)
function(weir_embed_into folder)
  set(files_provider "providers_yaml config/providers.yaml" "prices_yaml config/prices.yaml")
  set(files_llm "o200k_base third_party/openai-ranks/o200k_base.tiktoken.zst"
                "cl100k_base third_party/openai-ranks/cl100k_base.tiktoken.zst")
  foreach(entry ${files_${folder}})
    separate_arguments(pair UNIX_COMMAND ${entry})
    list(GET pair 0 symbol)
    list(GET pair 1 file)
    if(${CMAKE_SOURCE_DIR}/${file} IN_LIST WEIR_EMBEDDABLE)
      weir_embed(${folder} ${symbol} ${file})
    endif()
  endforeach()
endfunction()
