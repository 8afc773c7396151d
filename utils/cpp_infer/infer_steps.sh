# The steps of scripts/run_infer_*.sh; sourced, never run. Results and logs go to the current folder.
#
# Environment: CPP_INFER_HOME (this folder), MS_LITE_HOME and CPP_INFER_CACHE (see fetch_runtime.sh), PYTHON (the
# interpreter; default python, else python3), ASCEND_HOME, CUDA_HOME and TENSORRT_PATH (where the devices' software is).
set -euo pipefail
CPP_INFER_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CPP_INFER_HOME
model_dir=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[1]}")")")
python=${PYTHON:-$(command -v python || command -v python3 || true)}

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

usage() {
    printf 'Usage: bash %s %s\n' "$0" "$1" >&2
    exit 1
}

absolute() {
    [[ $1 == /* ]] && printf '%s\n' "$1" || printf '%s\n' "$PWD/$1"
}

# read_arguments MINDIR_PATH DATA_PATH DEVICE_TYPE DEVICE_ID: checks them, prints them and sets mindir_path, data_path,
# device_type and device_id, the paths absolute.
read_arguments() {
    [[ -f $1 ]] || fail "MINDIR_PATH=$1 is not a file"
    [[ -d $2 ]] || fail "DATA_PATH=$2 is not a directory"
    [[ $3 =~ ^(Ascend|GPU|CPU)$ ]] || fail "DEVICE_TYPE=$3 is not Ascend, GPU or CPU"
    [[ $4 =~ ^[0-9]{1,4}$ ]] || fail "DEVICE_ID=$4 is not a number"
    [[ -n $python ]] || fail "there is no python on PATH; install one, or set PYTHON"
    [[ -w . ]] || fail "$PWD cannot be written; go to a folder that can"
    mindir_path=$(absolute "$1")
    data_path=$(absolute "$2")
    device_type=$3
    device_id=$4
    printf 'mindir name: %s\ndataset path: %s\n' "$mindir_path" "$data_path"
    printf 'device id: %s\ndevice type: %s\n' "$device_id" "$device_type"
}

# step MESSAGE LOG COMMAND...: runs the command, its output going to the log.
step() {
    local message=$1 log=$2
    shift 2
    "$@" > "$log" 2>&1 || step_failed "$message" "$log"
}

# Ends the script with the message on stdout and, on stderr, the error in the log, or else its last line.
step_failed() {
    local reason
    reason=$(grep '^error: ' -- "$2" | tail -n 1 || true)
    [[ -n $reason ]] || reason=$(tail -n 1 -- "$2")
    printf '%s\n' "$1"
    fail "${reason#error: } (see $(absolute "$2"))"
}

# fresh_folder NAME PATTERN: an empty folder. From an old one only such files are removed as the steps write.
fresh_folder() {
    mkdir -p -- "$1" 2> /dev/null || fail "$(absolute "$1") cannot be made; remove what is in its place"
    [[ -z $(find -L "$1" -mindepth 1 ! \( -type f -name "$2" \) -print -quit) ]] ||
        fail "$(absolute "$1") has other files than $2; move it away"
    find -L "$1" -mindepth 1 -type f -delete
}

build() {
    [[ -w $model_dir/ascend310_infer ]] || fail "$model_dir/ascend310_infer cannot be written; build in a copy"
    step "compile app code failed" "$model_dir/ascend310_infer/build.log" bash "$model_dir/ascend310_infer/build.sh"
}

# infer FLAG...: runs the program, to result_Files, time_Result and infer.log.
infer() {
    local code=0
    local program=("$model_dir/ascend310_infer/out/main" "--device_type=$device_type" "--device_id=$device_id" "$@")
    fresh_folder result_Files "*_*.bin*"
    fresh_folder time_Result "test_perform_static.txt*"
    set_device_paths
    "${program[@]}" "--mindir_path=$mindir_path" > infer.log 2>&1 || code=$?
    # 3: the MindIR is too new for the runtime. Only an attempt tells, and fails before the device compiles anything.
    if ((code == 3)); then
        code=0
        step " execute inference failed" infer.log \
            "$python" "$CPP_INFER_HOME/lower_mindir.py" "$mindir_path" lowered.mindir
        "${program[@]}" --mindir_path=lowered.mindir > infer.log 2>&1 || code=$?
    fi
    ((code == 0)) || step_failed " execute inference failed" infer.log
}

# postprocess FLAG...: prints the accuracy, to acc.log.
postprocess() {
    step "calculate accuracy failed" acc.log "$python" "$model_dir/postprocess.py" "$@"
    cat acc.log
}

# Where the documentation has the devices' software, unless its own set-up has been sourced already.
set_device_paths() {
    local driver=${ASCEND_HOME:-/usr/local/Ascend} toolkit=${ASCEND_HOME:-/usr/local/Ascend}
    if [[ -d $toolkit/ascend-toolkit/latest ]]; then toolkit=$toolkit/ascend-toolkit/latest; fi
    if [[ $device_type == Ascend && -d $toolkit/compiler ]]; then
        export PATH=$toolkit/compiler/bin:$toolkit/compiler/ccec_compiler/bin:$PATH
        export LD_LIBRARY_PATH=$driver/driver/lib64:$toolkit/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        export PYTHONPATH=$toolkit/compiler/python/site-packages${PYTHONPATH:+:$PYTHONPATH}
        export ASCEND_OPP_PATH=$toolkit/opp ASCEND_AICPU_PATH=$toolkit TOOLCHAIN_HOME=$toolkit/toolkit
    fi
    if [[ $device_type == GPU && -n ${CUDA_HOME:-} && -n ${TENSORRT_PATH:-} ]]; then
        export PATH=$CUDA_HOME/bin:$TENSORRT_PATH/bin:$PATH
        export LD_LIBRARY_PATH=$CUDA_HOME/lib64:$TENSORRT_PATH/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    fi
}
