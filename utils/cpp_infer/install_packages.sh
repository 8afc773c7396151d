#!/bin/bash
# Install the Debian packages that building needs; with --check, or when not root, print the command
# for it and exit 1.
set -euo pipefail

missing=()
for program in cmake g++ make; do
    [[ -n $(command -v "$program") ]] || missing+=("$program")
done
for module in core imgproc imgcodecs; do
    # Elsewhere than in a package, it is for CMake to find.
    [[ -n ${CMAKE_PREFIX_PATH:-} || -f /usr/include/opencv4/opencv2/$module.hpp ]] ||
        missing+=("libopencv-$module-dev")
done
((${#missing[@]} > 0)) || exit 0

if [[ ${1:-} == --check || $EUID != 0 ]]; then
    command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    echo "error: packages are missing; as root, run: $command" >&2
    exit 1
fi
apt-get update
apt-get install -y --no-install-recommends "${missing[@]}"
