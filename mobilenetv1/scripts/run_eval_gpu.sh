#!/bin/bash
# Evaluate a checkpoint on one GPU, in ./eval, log in ./eval/log:
#     bash run_eval_gpu.sh imagenet2012 /data/ImageNet_Original mobilenetv1-90_1251.ckpt 0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) ||
    usage "[cifar10|imagenet2012] [DATASET_PATH] [CHECKPOINT_PATH] [DEVICE_ID](optional)"
require_dataset "$1"
require_dir DATASET_PATH "$2"
require_file CHECKPOINT_PATH "$3"
if (($# == 4)); then
    require_number DEVICE_ID "$4"
    export CUDA_VISIBLE_DEVICES=$4
fi

use_device 0 # DEVICE_ID counts the visible devices.
start_job eval/log "$model/eval.py" --dataset "$1" --device_target "${DEVICE_TARGET:-GPU}" \
    --dataset_path "$(absolute "$2")" --checkpoint_path "$(absolute "$3")" "${options[@]}"
