#!/bin/bash
# Train on GPUs of one server, log in ./train/train.log:
#     bash run_distribute_train_gpu.sh 8 0,1,2,3,4,5,6,7 /data/imagenet/train
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU bash run_distribute_train_gpu.sh 2 0,1 ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) ||
    usage "[DEVICE_NUM] [VISIABLE_DEVICES] [DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
use_visible_devices "$1" VISIABLE_DEVICES "$2"
require_dir DATASET_PATH "$3"
arguments=(--run_distribute True --dataset_path "$(absolute "$3")"
    --device_target "${DEVICE_TARGET:-GPU}")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi

start_on_gpus train/train.log "$model/train.py" "${arguments[@]}" "${options[@]}"
