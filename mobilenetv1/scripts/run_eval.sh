#!/bin/bash
# Evaluate a checkpoint on one Ascend device, in ./eval, log in ./eval/log:
#     bash run_eval.sh imagenet2012 /data/ImageNet_Original mobilenetv1-90_1251.ckpt 0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 4)) || usage "[cifar10|imagenet2012] [DATASET_PATH] [CHECKPOINT_PATH] [DEVICE_ID]"
require_dataset "$1"
require_dir DATASET_PATH "$2"
require_file CHECKPOINT_PATH "$3"
require_number DEVICE_ID "$4"

use_device "$4"
start_job eval/log "$model/eval.py" --dataset "$1" --device_target "${DEVICE_TARGET:-Ascend}" \
    --dataset_path "$(absolute "$2")" --checkpoint_path "$(absolute "$3")" --device_id "$4" \
    "${options[@]}"
