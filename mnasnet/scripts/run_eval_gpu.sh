#!/bin/bash
# Evaluate a checkpoint on one GPU, log in ./eval.log:
#     bash scripts/run_eval_gpu.sh /data/imagenet/val checkpoint/model_0/Mnasnet-rank0-300_625.ckpt
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2)) || usage "[DATASET_PATH] [CHECKPOINT_PATH]"
require_dir DATASET_PATH "$1"
require_file CHECKPOINT_PATH "$2"

use_device 0
start_job eval.log "$model/eval.py" --dataset_path "$(absolute "$1")" \
    --checkpoint_path "$(absolute "$2")" --device_target "${DEVICE_TARGET:-GPU}" "${options[@]}"
