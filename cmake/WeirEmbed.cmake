# weir_embed(FOLDER SYMBOL FILE): makes FILE available in the binary as `extern const std::string_view SYMBOL`
# (namespace weir::embedded, declared by the code that uses it). The assembler copies the bytes, so it costs no compile time.
set(WEIR_EMBEDS "" CACHE INTERNAL "")

function(weir_embed folder symbol file)
  set(asm ${CMAKE_BINARY_DIR}/embed/${symbol}.S)
  file(WRITE ${asm}.in ".section .rodata\n.global weir_embed_${symbol}\n.global weir_embed_${symbol}_end\n.balign 16\nweir_embed_${symbol}:\n.incbin \"${CMAKE_SOURCE_DIR}/${file}\"\nweir_embed_${symbol}_end:\n.byte 0\n.section .note.GNU-stack,\"\",%progbits\n")
  configure_file(${asm}.in ${asm} COPYONLY)
  set(cpp ${CMAKE_BINARY_DIR}/embed/${symbol}.cpp)
  file(WRITE ${cpp}.in "#include <string_view>\nextern \"C\" const char weir_embed_${symbol}[];\nextern \"C\" const char weir_embed_${symbol}_end[];\nnamespace weir::embedded {\nextern const std::string_view ${symbol};\nconst std::string_view ${symbol}{weir_embed_${symbol}, static_cast<std::size_t>(weir_embed_${symbol}_end - weir_embed_${symbol})};\n}\n")
  configure_file(${cpp}.in ${cpp} COPYONLY)
  set_source_files_properties(${asm} PROPERTIES OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  target_sources(weir_${folder} PRIVATE ${asm} ${cpp})
  set_source_files_properties(${cpp} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# The embedded files of each folder, by name; a missing file is left out until it exists.
function(weir_embed_into folder)
  set(files_app "providers_yaml config/providers.yaml" "prices_yaml config/prices.yaml")
  set(files_llm "o200k_base third_party/openai-ranks/o200k_base.tiktoken.zst"
                "cl100k_base third_party/openai-ranks/cl100k_base.tiktoken.zst")
  foreach(entry ${files_${folder}})
    separate_arguments(pair UNIX_COMMAND ${entry})
    list(GET pair 0 symbol)
    list(GET pair 1 file)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${file})
      weir_embed(${folder} ${symbol} ${file})
    endif()
  endforeach()
endfunction()
