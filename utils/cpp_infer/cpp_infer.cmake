# add_cpp_infer_program(NAME SOURCE...): a program made of its own sources and the shared ones, as ./NAME.
# CPP_INFER_RUNTIME is the folder that fetch_runtime.sh prints.
set(CPP_INFER_RUNTIME "" CACHE PATH "MindSpore Lite: the folder of include/ and lib/")
option(CPP_INFER_WERROR "End the build at a warning; off, since a newer compiler warns of more" OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)

# Before anything is compiled: the compiler's own words would be hundreds of lines.
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("#include <filesystem>
                           int main() { return std::filesystem::exists(\".\") ? 0 : 1; }" CPP_INFER_HAS_FILESYSTEM)
if(NOT CPP_INFER_HAS_FILESYSTEM)
  unset(CPP_INFER_HAS_FILESYSTEM CACHE)  # The compiler may be another one next time.
  message("error: ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) cannot build C++17 with "
          "<filesystem>; install GCC 9, Clang 9 or a newer one, and name it in the environment: CXX=g++-9")
  message(FATAL_ERROR "The compiler is too old.")
endif()

unset(CPP_INFER_RUNTIME_LIBRARY CACHE)  # It is another one when the folder is.
find_library(CPP_INFER_RUNTIME_LIBRARY NAMES mindspore-extendrt_python mindspore-extendrt mindspore-lite
             PATHS "${CPP_INFER_RUNTIME}/lib" NO_DEFAULT_PATH)
file(GLOB CPP_INFER_RUNTIME_FOLDERS "${CPP_INFER_RUNTIME}/lib" "${CPP_INFER_RUNTIME}/third_party/*"
     "${CPP_INFER_RUNTIME}/third_party/*/lib" "${CPP_INFER_RUNTIME}/../tools/converter/lib")
find_path(CPP_INFER_OPENCV_INCLUDE opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4)
find_library(CPP_INFER_OPENCV_CORE opencv_core)
find_library(CPP_INFER_OPENCV_IMGCODECS opencv_imgcodecs)
find_library(CPP_INFER_OPENCV_IMGPROC opencv_imgproc)
find_package(Threads REQUIRED)

file(GLOB CPP_INFER_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/src/*.cc")
add_library(cpp_infer STATIC ${CPP_INFER_SOURCES})
# In one piece: most of the time went into reading the same headers for each file. CMake before 3.16
# compiles them one by one.
set_target_properties(cpp_infer PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
target_compile_options(cpp_infer PUBLIC -O2 -Wall -Wextra $<$<BOOL:${CPP_INFER_WERROR}>:-Werror>)
target_include_directories(cpp_infer PUBLIC "${CMAKE_CURRENT_LIST_DIR}/include")
target_include_directories(cpp_infer SYSTEM PUBLIC "${CPP_INFER_OPENCV_INCLUDE}" "${CPP_INFER_RUNTIME}"
                           "${CPP_INFER_RUNTIME}/include")
# The runtime brings an older OpenCV: named first, the one compiled against is the one that is found first.
# --allow-shlib-undefined: the runtime links to libraries of devices that need not be there.
# --disable-new-dtags: the run path holds for the runtime's libraries too, so that no LD_LIBRARY_PATH is needed.
target_link_libraries(cpp_infer PUBLIC "${CPP_INFER_OPENCV_IMGCODECS}" "${CPP_INFER_OPENCV_IMGPROC}"
                      "${CPP_INFER_OPENCV_CORE}" "${CPP_INFER_RUNTIME_LIBRARY}" Threads::Threads
                      -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags)

function(add_cpp_infer_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE cpp_infer)
  set_target_properties(${name} PROPERTIES BUILD_RPATH "${CPP_INFER_RUNTIME_FOLDERS}")
endfunction()
