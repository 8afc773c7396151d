# The steps of scripts/run_infer_*.sh; sourced by the common.sh of a folder, whose functions it
# uses, never run. Results and logs go to the current folder.
#
# Environment: CPP_INFER_HOME (this folder), MS_LITE_HOME and CPP_INFER_CACHE (see
# fetch_runtime.sh), PYTHON (the interpreter; default python, else python3), ASCEND_HOME, CUDA_HOME
# and TENSORRT_PATH (where the devices' software is).
# shellcheck disable=SC2154  # common.sh sets `model` and `python`.
set -euo pipefail
CPP_INFER_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CPP_INFER_HOME

# read_arguments MINDIR_PATH DATA_PATH DEVICE_TYPE DEVICE_ID: checks them, prints them and sets
# mindir_path, data_path, device_type and device_id, the paths absolute.
read_arguments() {
    require_file MINDIR_PATH "$1"
    require_dir DATA_PATH "$2"
    [[ $3 =~ ^(Ascend|GPU|CPU)$ ]] || fail "DEVICE_TYPE=$3 is not Ascend, GPU or CPU"
    require_number DEVICE_ID "$4"
    require_python
    [[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"
    mindir_path=$(absolute "$1")
    data_path=$(absolute "$2")
    device_type=$3
    device_id=$4
    echo "mindir name: $(visible "$mindir_path")"
    echo "dataset path: $(visible "$data_path")"
    printf 'device id: %s\ndevice type: %s\n' "$device_id" "$device_type"
}

# Lets data_path be the folder above: the split of evaluation images in it, if it has one, is taken.
# As in Python, a folder of that name with images directly in it is a class, unless a file has their
# classes.
use_evaluation_split() {
    local name
    for name in val validation_preprocess ILSVRC2012_val validation; do
        if [[ -n $(find -L "$data_path/$name" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -print \
            -quit 2> /dev/null) ]] || has_label_file "$data_path/$name"; then
            data_path=$data_path/$name
            echo "images: $(visible "$data_path")"
            return
        fi
    done
}

# has_label_file FOLDER: whether in it or above it lies a file with the classes of its images.
has_label_file() {
    [[ -d $1 ]] || return 1
    local folder name
    for folder in "$1" "$1/.." "$1"/{,../}ILSVRC2012_devkit_t12/data; do
        for name in val_annotations.txt LOC_val_solution.csv val.txt \
            ILSVRC2012_validation_ground_truth.txt; do
            [[ ! -f $folder/$name ]] || return 0
        done
    done
    return 1
}

# label: writes imagenet_label.json for the images of data_path, by the names of the network's
# classes where they lie beside the MindIR.
label() {
    step "calculate accuracy failed" label.log "$python" "$model/create_imagenet2012_label.py" \
        --img_path "$data_path" --mindir_path "$mindir_path"
}

# step MESSAGE LOG INTERPRETER PROGRAM ARGUMENT...: runs the program, its output going to the log.
# If it fails, ends the script with the message on stdout and the reason on stderr.
step() {
    run_step "$2" "${4##*/}" "${@:3}" || step_failed "$1"
}

# run_step LOG NAME COMMAND...: returns the exit code of the command. Its log is a new file.
run_step() {
    rm -f -- "$1"
    open_log "$1"
    log=$(absolute "$1")
    supervise launch "$2" "$log" "${@:3}"
}

step_failed() {
    printf '%s\n' "$1"
    # A program that is ended says nothing about it: its last line is about an image.
    ((code <= 128)) || fail "${names[failed]} $(how_it_ended); see $log"
    report
    exit 1
}

# fresh_folder NAME PATTERN: an empty folder. From an old one only such files are removed as the
# steps write.
fresh_folder() {
    mkdir -p -- "$1" 2> /dev/null ||
        fail "$(absolute "$1") cannot be made; remove what is in its place"
    [[ -z $(find -L "$1" -mindepth 1 ! \( -type f -name "$2" \) -print -quit) ]] ||
        fail "$(absolute "$1") has other files than $2; move it away"
    find -L "$1" -mindepth 1 -type f -delete
}

build() {
    local folder=$model/ascend310_infer
    [[ -w $folder ]] || fail "$folder cannot be written; build in a copy"
    step "compile app code failed" "$folder/build.log" bash "$folder/build.sh"
}

# infer FLAG...: runs the program, to result_Files, time_Result and infer.log.
infer() {
    local name="the inference program"
    local command=("$model/ascend310_infer/out/main" "--device_type=$device_type"
        "--device_id=$device_id" "$@")
    fresh_folder result_Files "*_*.bin*"
    fresh_folder time_Result "test_perform_static.txt*"
    set_device_paths
    run_step infer.log "$name" "${command[@]}" "--mindir_path=$mindir_path" || ((code == 3)) ||
        step_failed " execute inference failed"
    # 3: the MindIR is too new for the runtime. Only an attempt tells, and fails before the device
    # compiles anything.
    if ((code == 3)); then
        local for_device=()
        [[ $device_type != Ascend ]] || for_device=(--ascend)  # It may have what the CPU lacks.
        step " execute inference failed" infer.log \
            "$python" "$CPP_INFER_HOME/lower_mindir.py" ${for_device[@]+"${for_device[@]}"} \
            "$mindir_path" lowered.mindir
        run_step infer.log "$name" "${command[@]}" --mindir_path=lowered.mindir ||
            step_failed " execute inference failed"
    fi
}

# postprocess FLAG...: prints the accuracy, to acc.log.
postprocess() {
    step "calculate accuracy failed" acc.log "$python" "$model/postprocess.py" "$@"
    cat acc.log
}

# Where the documentation has the devices' software, unless its own set-up has been sourced already.
set_device_paths() {
    local driver=${ASCEND_HOME:-/usr/local/Ascend} toolkit=${ASCEND_HOME:-/usr/local/Ascend}
    local libraries=${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    if [[ -d $toolkit/ascend-toolkit/latest ]]; then toolkit=$toolkit/ascend-toolkit/latest; fi
    if [[ $device_type == Ascend && -d $toolkit/compiler ]]; then
        export PATH=$toolkit/compiler/bin:$toolkit/compiler/ccec_compiler/bin:$PATH
        export LD_LIBRARY_PATH=$driver/driver/lib64:$toolkit/lib64$libraries
        export PYTHONPATH=$toolkit/compiler/python/site-packages${PYTHONPATH:+:$PYTHONPATH}
        export ASCEND_OPP_PATH=$toolkit/opp ASCEND_AICPU_PATH=$toolkit
        export TOOLCHAIN_HOME=$toolkit/toolkit
    fi
    if [[ $device_type == GPU && -n ${CUDA_HOME:-} && -n ${TENSORRT_PATH:-} ]]; then
        export PATH=$CUDA_HOME/bin:$TENSORRT_PATH/bin:$PATH
        export LD_LIBRARY_PATH=$CUDA_HOME/lib64:$TENSORRT_PATH/lib$libraries
    fi
}
