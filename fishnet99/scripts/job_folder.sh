# Copied from utils/vendored/job_folder.sh by `make vendor`: change it there.
# Where the scripts of this folder run their programs; sourced by common.sh, never run.
#
# What an earlier run left is put aside, never overwritten.
# shellcheck disable=SC2034,SC2154  # job.sh uses `log_output`; common.sh sets `model` and others.
set -euo pipefail
log_output=log_output # the folder of logs that have no documented place
program=()            # the Python program of a job, and its arguments

# numbered PATH N: the path with N for the {} in it, if there is one.
numbered() {
    [[ $1 == *{}* ]] && printf '%s\n' "${1%\{\}*}$2${1##*\{\}}" || printf '%s\n' "$1"
}

# Whether the options ask to go on with what is there.
resuming() {
    local i
    for i in "${!options[@]}"; do
        if [[ ${options[i]} == --resume ]]; then
            [[ ! ${options[i + 1]---resume} =~ ^([Ff]alse)?$ ]]
            return
        fi
    done
    return 1
}

# Makes place for LOG: what an earlier run left is put aside, but with --resume kept.
prepare_log() {
    local folder
    folder=$(dirname "$1")
    if [[ $folder == @(.|"$PWD"|"$model") ]]; then
        [[ -w $folder ]] || fail "$folder cannot be written; change to a folder you can write to"
        resuming || keep_old "$1"
    else
        resuming || keep_old "$folder"
        mkdir -p -- "$folder" 2> /dev/null ||
            fail "cannot make the run folder $(absolute "$folder"); change to one you can write to"
        write_environment "$folder/env.log"
    fi
    open_log "$1"
}

# A log to add lines to. One that a symbolic link leads to would be somebody else's file.
open_log() {
    [[ -f $1 && ! -L $1 && -w $1 ]] || (set -o noclobber && : > "$1") 2> /dev/null ||
        fail "$(absolute "$1") cannot be written, or is a symbolic link; remove it, or change to\
 another folder"
}

# What decides how a job runs, but no secrets.
write_environment() {
    local kinds='DEVICE|RANK|SERVER|ASCEND|CUDA_VISIBLE|MS|ONEDNN|OMP|GLOG'
    [[ -n ${packages:-} ]] || packages=$("$python" - << 'EOF'
import os
import sys

print("python=" + sys.version.split()[0])
for folder in filter(os.path.isdir, sys.path):
    for name in os.listdir(folder):
        if name.startswith("mindspore") and name.endswith(".dist-info"):
            print(name[: -len(".dist-info")].replace("-", "=", 1))
EOF
    )
    rm -f -- "$1"
    (set -o noclobber && {
        env | sort | grep -E "^($kinds)_[A-Za-z0-9_]*="
        printf '%s\n' "$packages"
    } > "$1") 2> /dev/null || fail "$(absolute "$1") cannot be written; is the disk full?"
}

# Moves what an earlier run left to NAME.1, NAME.2, ...: nothing is deleted. What the program is to
# read from it, such as a checkpoint to start from, it reads from where that went.
keep_old() {
    local number=1 from to i
    [[ -e $1 || -L $1 ]] || return 0
    while [[ -e $1.$number || -L $1.$number ]]; do
        number=$((number + 1))
    done
    from=$(realpath -m -- "$1")
    to=$(absolute "$1.$number")
    for i in "${!program[@]}"; do
        if ((i == 0)) || [[ ! ${program[i - 1]} =~ ^--(save_.*|out.*|train_url)$ ]]; then
            program[i]=$(after_move "${program[i]}" "$from" "$to")
        fi
    done
    for i in RANK_TABLE_FILE MINDSPORE_HCCL_CONFIG_PATH; do
        [[ -z ${!i:-} ]] || printf -v "$i" %s "$(after_move "${!i}" "$from" "$to")"
    done
    mv -T -- "$1" "$1.$number" 2> /dev/null ||
        fail "cannot move $(absolute "$1") aside; change to a folder you can write to"
    echo "kept from an earlier run: $(visible "$1.$number")"
}

# after_move WORD FROM TO: WORD, or the path it will have when FROM has become TO. A path with {} is
# a pattern for several.
after_move() {
    local path=
    [[ $1 != /* || ! (-e $1 || $1 == *{}*) ]] || path=$(realpath -m -- "$1")
    [[ $path/ == "$2"/* ]] && printf '%s\n' "$3${path#"$2"}" || printf '%s\n' "$1"
}
