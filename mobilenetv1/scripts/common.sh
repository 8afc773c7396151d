# Copied from utils/vendored/common.sh by `make vendor`: change it there.
# What the scripts of this folder share; sourced, never run. Afterwards $1, $2, ... are the
# arguments before the first --flag, and `options` holds the others, for the Python program.
#
# Environment: WAIT=1 runs in the foreground and returns the job's exit code; DEVICE_TARGET (Ascend,
# GPU or CPU) replaces the device a script is for; DEVICE_NUM and MASTER_PORT are for distributed
# training, and what nodes.sh names for that on several machines; PYTHON is the interpreter
# (default: python, else python3).
set -euo pipefail
model=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
python=${PYTHON:-$(command -v python || command -v python3 || true)}

# TEXT in one line: no control character of a name reaches the terminal, or begins a line of its own
# that looks like a message.
visible() {
    local text=$1 escape
    while [[ $text =~ [[:cntrl:]] ]]; do
        printf -v escape %q "${BASH_REMATCH[0]}"
        text=${text//"${BASH_REMATCH[0]}"/"${escape:2:-1}"}
    done
    printf '%s\n' "$text"
}

complain() {
    printf 'error: %s\n' "$(visible "$1")" >&"${messages:-2}"
}

fail() {
    complain "$1"
    exit 1
}

usage() {
    printf 'Usage: bash %s\n' "$(visible "$(basename "$0")${1:+ $1} [--key value ...]")" >&2
    exit 1
}

absolute() {
    [[ $1 == /* ]] && printf '%s\n' "$1" || printf '%s\n' "$PWD/${1#./}"
}

# A device's name without the curly quotes that the documentation prints around it, or other text.
straight() {
    local text=$1 quoted='^“(Ascend|GPU|CPU)”$'
    [[ ! $text =~ $quoted ]] || text=${BASH_REMATCH[1]}
    printf '%s\n' "$text"
}

# The program runs in a folder of its own, so paths, which are meant from here, become absolute.
split_arguments() {
    local argument flag=
    local paths='^--(.*_(path|dir|dr|file|url|root)|pre_trained|resume|root|outdir|checkpoint)$'
    positional=()
    options=()
    while (($# > 0)) && [[ $1 != --* ]]; do
        positional+=("$(straight "$1")")
        shift
    done
    for argument in "$@"; do
        if [[ $argument == --*=* ]]; then
            flag=${argument%%=*}
            options+=("$flag")
            argument=${argument#*=}
        fi
        if [[ $flag =~ $paths && -n $argument && $argument != --* && $argument != *://* &&
            ! $argument =~ ^(auto|[Tt]rue|[Ff]alse)$ ]]; then
            argument=$(absolute "$argument")
        fi
        options+=("$(straight "$argument")")
        flag=$argument
    done
}

require_dataset() {
    [[ $1 == cifar10 || $1 == imagenet2012 ]] ||
        fail "the selected dataset is neither cifar10 nor imagenet2012"
}

# require_dir NAME PATH, require_file NAME PATH: what the argument NAME must be.
require_dir() {
    [[ -d $2 ]] || fail "$1=$2 is not a directory: $(what_it_is "$2")"
}

require_file() {
    local source=
    case $1 in
        MINDIR_PATH) source="; export.py --file_format MINDIR writes one" ;;
        ONNX_PATH) source="; export.py --file_format ONNX writes one" ;;
        RANK_TABLE_FILE) source="; hccl_tools.py writes one" ;;
    esac
    [[ -f $2 ]] || fail "$1=$2 is not a file: $(what_it_is "$2")$source"
}

# What is at a path, where something else is wanted, and how to see which argument is which.
what_it_is() {
    local found="it does not exist"
    [[ ! -d $1 ]] || found="it is a directory"
    [[ ! -f $1 ]] || found="it is a file"
    printf '%s\n' "$found; without arguments the script says which goes where"
}

require_count() {
    [[ $2 =~ ^[1-9][0-9]{0,3}$ ]] || fail "$1=$2 is not a number from 1 on"
}

require_number() {
    [[ $2 =~ ^(0|[1-9][0-9]{0,3})$ ]] || fail "$1=$2 is not a number"
}

require_python() {
    [[ -n $python && -n $(command -v "$python") ]] ||
        fail "${python:-python} is not on PATH; activate the environment that has requirements.txt,\
 or set PYTHON"
}

# use_device DEVICE_ID: for a job of one process.
use_device() {
    require_python
    export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=$1
}

# use_devices NUMBER: for a job of so many processes on this machine.
use_devices() {
    require_count DEVICE_NUM "$1"
    require_python
    export DEVICE_NUM=$1 RANK_SIZE=$1
}

# use_visible_devices NUMBER NAME LIST: the same on the GPUs in LIST, such as 0,1.
use_visible_devices() {
    local commas=${3//[0-9]/}
    [[ $1 =~ ^[1-8]$ ]] || fail "DEVICE_NUM=$1 is not a number from 1 to 8"
    [[ $3 =~ ^[0-9]+(,[0-9]+)*$ ]] || fail "$2=$3 is not a list such as 0,1"
    ((${#commas} + 1 == $1)) || fail "$2=$3 does not list DEVICE_NUM=$1 devices"
    use_devices "$1"
    export CUDA_VISIBLE_DEVICES=$3
}

# use_rank_table FILE: it must describe NNODES servers of DEVICE_NUM devices. What still reads the
# table, which no longer starts a run since MindSpore 2.8, finds it through RANK_TABLE_FILE.
use_rank_table() {
    local reason
    require_file RANK_TABLE_FILE "$1"
    use_nodes
    reason=$(
        "$python" - "$1" "$DEVICE_NUM" "$NNODES" << 'EOF'
import json
import sys

path, wanted, nodes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
try:
    with open(path, "rb") as file:
        counts = [len(server["device"]) for server in json.load(file)["server_list"]]
except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
    print(f"is not a whole rank table ({error!r}); write it with hccl_tools.py")
else:
    if counts != [wanted] * nodes:
        print(
            f"lists {sum(counts)} devices on {len(counts)} server(s), this run is for "
            f"DEVICE_NUM={wanted} on each of NNODES={nodes}; write a table that fits with "
            "hccl_tools.py and merge_hccl.py, or set DEVICE_NUM and NNODES"
        )
EOF
    )
    [[ -z $reason ]] || fail "RANK_TABLE_FILE=$1 $reason"
    RANK_TABLE_FILE=$(absolute "$1")
    export RANK_TABLE_FILE
}

# For the scripts that run the C++ program: the steps of utils/cpp_infer.
use_cpp_infer() {
    CPP_INFER_HOME=${CPP_INFER_HOME:-$model/../utils/cpp_infer}
    [[ -f $CPP_INFER_HOME/infer_steps.sh ]] ||
        fail "CPP_INFER_HOME=$CPP_INFER_HOME has no infer_steps.sh; set it to the repository's\
 utils/cpp_infer"
    # shellcheck source-path=SCRIPTDIR/../../utils/cpp_infer source-path=SCRIPTDIR/../cpp_infer
    # shellcheck source=infer_steps.sh
    source "$CPP_INFER_HOME/infer_steps.sh"
}

# shellcheck source-path=SCRIPTDIR source=job_folder.sh
source "$model/scripts/job_folder.sh"
# shellcheck source-path=SCRIPTDIR source=nodes.sh
source "$model/scripts/nodes.sh"
# shellcheck source-path=SCRIPTDIR source=job.sh
source "$model/scripts/job.sh"
split_arguments "$@"
set -- "${positional[@]}"
DEVICE_TARGET=$(straight "${DEVICE_TARGET:-}")
