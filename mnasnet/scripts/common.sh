# Copied from utils/vendored/common.sh by `make vendor`: change it there.
# What the scripts of this folder share; sourced, never run.
#
# Every run gets a folder of its own in the CURRENT folder. Environment: WAIT=1 runs in the foreground and returns the
# job's exit code; DEVICE_TARGET (Ascend, GPU or CPU) replaces the device a script is for; DEVICE_NUM and MASTER_PORT
# are for distributed training.
set -euo pipefail
# shellcheck disable=SC2034  # `model` is for the scripts.
model=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

usage() {
    echo "Usage: bash $(basename "$0") $1 [--key value ...]" >&2
    exit 1
}

absolute() {
    [[ $1 == /* ]] && printf '%s\n' "$1" || printf '%s\n' "$PWD/$1"
}

# Sets `positional`, the arguments before the first --flag, and `options`, the others, for the python program.
# That program runs in a folder of its own, so paths, which are meant from here, become absolute.
split_arguments() {
    local argument flag=
    positional=()
    options=()
    while (($# > 0)) && [[ $1 != --* ]]; do
        positional+=("$1")
        shift
    done
    for argument in "$@"; do
        if [[ $argument == --*=* ]]; then
            flag=${argument%%=*}
            options+=("$flag")
            argument=${argument#*=}
        fi
        if [[ $flag =~ ^--(.*_path|.*_dir|.*_file|pre_trained|resume|root|outdir)$ && $argument != "" &&
            $argument != --* && ! $argument =~ ^(auto|[Tt]rue|[Ff]alse)$ ]]; then
            argument=$(absolute "$argument")
        fi
        options+=("$argument")
        flag=$argument
    done
}

require_dataset() {
    [[ $1 == cifar10 || $1 == imagenet2012 ]] || fail "the selected dataset is neither cifar10 nor imagenet2012"
}

require_dir() {
    [[ -d $2 ]] || fail "$1=$2 is not a directory"
}

require_file() {
    [[ -f $2 ]] || fail "$1=$2 is not a file"
}

require_count() {
    [[ $2 =~ ^[1-9][0-9]{0,3}$ ]] || fail "$1=$2 is not a number from 1 on"
}

require_number() {
    [[ $2 =~ ^(0|[1-9][0-9]{0,3})$ ]] || fail "$1=$2 is not a number"
}

require_command() {
    [[ -n $(command -v "$1") ]] || fail "$1 is not on PATH; install requirements.txt, or activate its environment"
}

# The rank table must describe one server with DEVICE_NUM devices.
require_rank_table() {
    require_file RANK_TABLE_FILE "$1"
    python - "$1" "$DEVICE_NUM" << 'EOF'
import json
import sys

path, wanted = sys.argv[1], int(sys.argv[2])
try:
    with open(path, "rb") as file:
        counts = [len(server["device"]) for server in json.load(file)["server_list"]]
except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
    sys.exit(f"error: RANK_TABLE_FILE={path} is not a whole rank table ({error!r}); write it with hccl_tools.py")
if counts != [wanted]:
    sys.exit(f"error: RANK_TABLE_FILE={path} lists {sum(counts)} devices on {len(counts)} server(s), this run is "
             f"for DEVICE_NUM={wanted} on one; write a table that fits with hccl_tools.py, or set DEVICE_NUM")
EOF
}

# MASTER_PORT if it is set, else a port that nobody uses.
master_port() {
    python -c 'import socket, sys
server = socket.socket()
server.bind(("", int(sys.argv[1])))
print(server.getsockname()[1])' "${MASTER_PORT:-0}" 2> /dev/null ||
        fail "MASTER_PORT=${MASTER_PORT:-} is in use, or no port; give another, or leave it unset"
}

# Moves what an earlier run left to NAME.1, NAME.2, ...: nothing is deleted.
keep_old() {
    local number=1
    [[ -e $1 ]] || return 0
    while [[ -e $1.$number ]]; do
        number=$((number + 1))
    done
    mv -- "$1" "$1.$number"
    echo "kept from an earlier run: $1.$number"
}

# A fresh run folder; with --resume the one that is there. env.log says what decides how a job runs, but no secrets.
make_run_folder() {
    [[ " ${options[*]} " == *" --resume "* ]] || keep_old "$1"
    mkdir -p -- "$1" 2> /dev/null || fail "cannot make the run folder $PWD/$1; change to a folder you can write to"
    env | sort | grep -E '^(DEVICE|RANK|SERVER|ASCEND|CUDA_VISIBLE|MS|ONEDNN|OMP|GLOG)_[A-Za-z0-9_]*=' > "$1/env.log"
    python - >> "$1/env.log" << 'EOF'
import importlib.metadata
import sys

print("python=" + sys.version.split()[0])
for distribution in importlib.metadata.distributions():
    if (distribution.metadata["Name"] or "").startswith("mindspore"):
        print(distribution.metadata["Name"] + "=" + distribution.version)
EOF
}

# use_worker_log FOLDER N FILE: under msrun in FOLDER, worker N logs to FILE, with which worker_N.log becomes one file.
# A hard link, as a symbolic one would lead to the next run's log once this run's folder has another name.
use_worker_log() {
    keep_old "$3"
    : > "$3"
    mkdir -p -- "$1/log_output"
    ln -f -- "$3" "$1/log_output/worker_$2.log"
}

# start_job FOLDER LOG COMMAND...: runs the command in the folder, its output going to LOG there.
start_job() {
    local folder=$1 log=$2 code=0
    shift 2
    cd -- "$folder"
    if [[ ${WAIT:-0} == 1 ]]; then
        printf 'running; the log is %q\n' "$PWD/$log"
        "$@" >> "$log" 2>&1 || code=$?
        if ((code != 0)); then
            # The program's own line says what is wrong; only without one is the end of the log of use.
            { tail -qn 50 -- "$log" log_output/*.log 2> /dev/null || true; } | grep '^error: ' | sort -u >&2 ||
                tail -n 20 -- "$log" >&2
        fi
        return "$code"
    fi
    nohup "$@" >> "$log" 2>&1 &
    printf 'started process %s; follow it with: tail -f %q\n' "$!" "$PWD/$log"
}
