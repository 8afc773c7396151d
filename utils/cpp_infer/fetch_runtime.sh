#!/bin/bash
# Print the folder of MindSpore Lite (include/ and lib/), after downloading its PyPI wheel if need
# be:
#     runtime=$(bash fetch_runtime.sh)
#
# MS_LITE_HOME, if set, is used instead: an unpacked release (runtime/include, runtime/lib) or wheel
# (include, lib). Downloads are kept in CPP_INFER_CACHE (default: ~/.cache/mindspore-zoo-cpu, or
# that below XDG_CACHE_HOME).
set -euo pipefail

version=2.0.0
wheel_sha256=199cd0605cc985b88eddb273db9dfe9000a585ba10ca2292b6b36ebfff07b3ec
# Of the SHA-256 sums and names of all files in its include and lib, as computed below.
files_sha256=2b3e12764c074737aa772d33404ef1a3b46d60b249ffc56f6f1bc42880832254

fail() {
    printf 'error: %s\n' "${1//[[:cntrl:]]/?}" >&2
    exit 1
}

if [[ -n ${MS_LITE_HOME:-} ]]; then
    for folder in "$MS_LITE_HOME/runtime" "$MS_LITE_HOME"; do
        if [[ -f $folder/include/api/model.h ]] &&
            compgen -G "$folder/lib/libmindspore-*.so" > /dev/null; then
            realpath "$folder"
            exit 0
        fi
    done
    fail "MS_LITE_HOME=$MS_LITE_HOME has no include/api/model.h and lib/libmindspore-*.so, nor\
 below runtime/"
fi

cache=${CPP_INFER_CACHE:-${XDG_CACHE_HOME:-~/.cache}/mindspore-zoo-cpu}
mkdir -p -- "$cache" 2> /dev/null ||
    fail "$cache cannot be made; set CPP_INFER_CACHE to a folder that can be written"
runtime=$(realpath "$cache")/mindspore-lite-$version
# A file, as some network file systems lock nothing that cannot be written.
[[ ! -L $cache/.lock ]] || fail "$cache/.lock is a symbolic link; remove it"
exec 9>> "$cache/.lock"
flock 9
if [[ ! -d $runtime ]]; then
    [[ $(uname -sm) == "Linux x86_64" ]] ||
        fail "no wheel for $(uname -sm); unpack MindSpore Lite and set MS_LITE_HOME"
    temporary=$(mktemp -d "$cache/.download.XXXXXX")
    trap 'rm -rf "$temporary"' EXIT
    echo "downloading MindSpore Lite $version (161 MiB) to $runtime" >&2
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.7 --implementation cp --abi cp37m --platform manylinux1_x86_64 \
        --dest "$temporary" "mindspore-lite==$version" >&2 ||
        fail "MindSpore Lite $version could not be downloaded; look at pip's message above, or set\
 MS_LITE_HOME"
    wheel=$(echo "$temporary"/*.whl)
    [[ $(sha256sum < "$wheel") == "$wheel_sha256  -" ]] ||
        fail "the download is not the file with SHA-256 $wheel_sha256; try again"
    python3 -m zipfile -e "$wheel" "$temporary/wheel"
    mv -T -- "$temporary/wheel/mindspore_lite" "$runtime"
fi
# Each time: what was whole when it was unpacked may have been changed since.
found=$(
    python3 - "$runtime" << 'EOF'
import hashlib
import pathlib
import sys

files = [path for top in ("include", "lib") for path in pathlib.Path(sys.argv[1], top).rglob("*")]
names = hashlib.sha256()
for path in sorted(path for path in files if path.is_file()):
    names.update(hashlib.sha256(path.read_bytes()).digest() + path.name.encode())
print(names.hexdigest())
EOF
) || true
[[ $found == "$files_sha256" ]] ||
    fail "$runtime is not MindSpore Lite $version as it was unpacked; remove this folder, it is\
 downloaded again"
printf '%s\n' "$runtime"
