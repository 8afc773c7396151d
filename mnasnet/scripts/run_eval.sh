#!/bin/bash
# Evaluate a checkpoint on one Ascend device, log in ./eval.log:
#     bash ./scripts/run_eval.sh 0 /data/imagenet/val checkpoint/model_0/Mnasnet-rank0-250_625.ckpt
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3)) || usage "[DEVICE_ID] [DATA_DIR] [PATH_CHECKPOINT]"
require_number DEVICE_ID "$1"
require_dir DATA_DIR "$2"
require_file PATH_CHECKPOINT "$3"

use_device "$1"
start_job eval.log "$model/eval.py" --device_id "$1" --dataset_path "$(absolute "$2")" \
    --checkpoint_path "$(absolute "$3")" --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
