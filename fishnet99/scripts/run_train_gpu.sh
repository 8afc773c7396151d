#!/bin/bash
# Train on GPUs of one server, log in ./train/train_gpu.log:
#     bash ./scripts/run_train_gpu.sh 8 0,1,2,3,4,5,6,7
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU bash ./scripts/run_train_gpu.sh 2 0,1
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2)) || usage "[DEVICE_NUM] [VISIBLE_DEVICES]"
use_visible_devices "$1" VISIBLE_DEVICES "$2"
use_nodes

if ((RANK_SIZE == 1)); then
    use_device 0
    start=start_job
else
    start=start_on_gpus
fi
"$start" train/train_gpu.log "$model/train.py" --device_type "${DEVICE_TARGET:-GPU}" \
    "${options[@]}"
