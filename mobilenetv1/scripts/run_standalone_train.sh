#!/bin/bash
# Train on one Ascend device, in ./train, log in ./train/log.txt:
#     bash run_standalone_train.sh imagenet2012 /data/ImageNet_Original 0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) ||
    usage "[cifar10|imagenet2012] [DATASET_PATH] [DEVICE_ID] [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
require_dir DATASET_PATH "$2"
require_number DEVICE_ID "$3"
arguments=(--dataset "$1" --device_target "${DEVICE_TARGET:-Ascend}"
    --dataset_path "$(absolute "$2")" --device_id "$3")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi

use_device "$3"
start_job train/log.txt "$model/train.py" "${arguments[@]}" "${options[@]}"
