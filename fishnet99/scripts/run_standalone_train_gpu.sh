#!/bin/bash
# Train on one GPU, in the current folder, log in ./train_gpu.log:
#     bash ./scripts/run_standalone_train_gpu.sh
#     bash ./scripts/run_standalone_train_gpu.sh --data_path /data/ILSVRC2012_train
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 0)) || usage ""

use_device 0
start_job train_gpu.log "$model/train.py" --device_id 0 --device_type "${DEVICE_TARGET:-GPU}" \
    "${options[@]}"
