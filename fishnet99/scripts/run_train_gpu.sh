#!/bin/bash
# Train on GPUs of one server, log in ./train/train_gpu.log:
#     bash ./scripts/run_train_gpu.sh 8 0,1,2,3,4,5,6,7
# The same in two processes on the CPU: DEVICE_TARGET=CPU bash ./scripts/run_train_gpu.sh 2 0,1
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[DEVICE_NUM] [VISIBLE_DEVICES]"
[[ $1 =~ ^[1-8]$ ]] || fail "DEVICE_NUM=$1 is not a number from 1 to 8"
[[ $2 =~ ^[0-9]+(,[0-9]+)*$ ]] || fail "VISIBLE_DEVICES=$2 is not a list such as 0,1"
commas=${2//[0-9]/}
((${#commas} + 1 == $1)) || fail "VISIBLE_DEVICES=$2 does not list DEVICE_NUM=$1 devices"
require_command msrun
port=$(master_port)

export DEVICE_NUM=$1 RANK_SIZE=$1 CUDA_VISIBLE_DEVICES=$2
make_run_folder train
target=${DEVICE_TARGET:-GPU}
arguments=("$model/train.py" --device_type "$target" "${options[@]}")
if ((DEVICE_NUM == 1)); then
    start_job train train_gpu.log python "${arguments[@]}"
elif [[ $target == GPU && -n $(command -v mpirun) ]]; then
    start_job train train_gpu.log mpirun -n "$DEVICE_NUM" --allow-run-as-root --output-filename log_output \
        --merge-stderr-to-stdout python "${arguments[@]}"
else
    use_worker_log train 0 train/train_gpu.log
    echo "the log of the first worker is train/train_gpu.log in $PWD"
    start_job train msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" \
        --master_port="$port" --join=True --log_dir=log_output "${arguments[@]}"
fi
