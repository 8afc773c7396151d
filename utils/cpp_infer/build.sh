#!/bin/bash
# Build the program of a model; it is FOLDER/out/main, ready to run:
#     bash build.sh ../../mobilenetv1/ascend310_infer
set -euo pipefail

fail() {
    printf 'error: %s\n' "${1//[[:cntrl:]]/?}" >&2
    exit 1
}

(($# == 1)) && [[ -f $1/CMakeLists.txt ]] || {
    echo "Usage: bash build.sh FOLDER, a folder with a CMakeLists.txt" >&2
    exit 1
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(cd "$1" && pwd)
# What CMake, make and the shells that they call do not take in names, tried one by one.
require_plain() {
    local odd='["\;\\|*?:]|\[|\]|\$\(|'"'.*#|#.*'"
    [[ ! $1 =~ $odd ]] ||
        fail "$1: CMake and make do not build in paths with \" ; \\ | * ? : [ ] or \$(, or with\
 both ' and #; move it"
}
require_plain "$here"
require_plain "$folder"
bash "$here/install_packages.sh" --check
runtime=$(bash "$here/fetch_runtime.sh")
require_plain "$runtime"

mkdir -p -- "$folder/out"
[[ ! -L $folder/out/.lock ]] || fail "$folder/out/.lock is a symbolic link; remove it"
exec 9>> "$folder/out/.lock"
flock 9
# A build that was copied here from another folder is of no use.
if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$folder" "$folder/out/CMakeCache.txt"; then
    rm -rf -- "$folder/out/CMakeCache.txt" "$folder/out/CMakeFiles"
fi
cmake -S "$folder" -B "$folder/out" -DCPP_INFER_HOME="$here" -DCPP_INFER_RUNTIME="$runtime"
cmake --build "$folder/out" --parallel "$(nproc)"
