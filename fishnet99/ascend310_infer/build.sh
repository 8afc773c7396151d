#!/bin/bash
# Build ./out/main; see the README of utils/cpp_infer.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bash "${CPP_INFER_HOME:-$folder/../../utils/cpp_infer}/build.sh" "$folder"
