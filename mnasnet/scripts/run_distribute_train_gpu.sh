#!/bin/bash
# Train on GPUs of one server, log in ./train/train.log:
#     bash run_distribute_train_gpu.sh 8 0,1,2,3,4,5,6,7 /data/imagenet/train
# The same in two processes on the CPU: DEVICE_TARGET=CPU bash run_distribute_train_gpu.sh 2 0,1 ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 3 || $# == 4)) || usage "[DEVICE_NUM] [VISIABLE_DEVICES] [DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
[[ $1 =~ ^[1-8]$ ]] || fail "DEVICE_NUM=$1 is not a number from 1 to 8"
[[ $2 =~ ^[0-9]+(,[0-9]+)*$ ]] || fail "VISIABLE_DEVICES=$2 is not a list such as 0,1"
commas=${2//[0-9]/}
((${#commas} + 1 == $1)) || fail "VISIABLE_DEVICES=$2 does not list DEVICE_NUM=$1 devices"
require_dir DATASET_PATH "$3"
target=${DEVICE_TARGET:-GPU}
arguments=("$model/train.py" --run_distribute True --dataset_path "$(absolute "$3")" --device_target "$target")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi
require_command msrun
port=$(master_port)

export DEVICE_NUM=$1 RANK_SIZE=$1 CUDA_VISIBLE_DEVICES=$2
make_run_folder train
if [[ $target == GPU && -n $(command -v mpirun) ]]; then
    start_job train train.log mpirun -n "$DEVICE_NUM" --allow-run-as-root --output-filename log_output \
        --merge-stderr-to-stdout python "${arguments[@]}" "${options[@]}"
else
    use_worker_log train 0 train/train.log
    echo "the log of the first worker is train/train.log in $PWD"
    start_job train msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" \
        --master_port="$port" --join=True --log_dir=log_output "${arguments[@]}" "${options[@]}"
fi
