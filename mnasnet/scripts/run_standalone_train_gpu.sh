#!/bin/bash
# Train on one GPU, in the current folder, log in ./train.log:
#     bash scripts/run_standalone_train_gpu.sh /data/imagenet/train
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 1 || $# == 2)) || usage "[DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
require_dir DATASET_PATH "$1"
arguments=(--dataset_path "$(absolute "$1")" --device_target "${DEVICE_TARGET:-GPU}")
if (($# == 2)); then
    require_file PRETRAINED_CKPT_PATH "$2"
    arguments+=(--pre_trained "$(absolute "$2")")
fi

use_device 0
start_job train.log "$model/train.py" "${arguments[@]}" "${options[@]}"
