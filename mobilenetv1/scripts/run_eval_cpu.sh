#!/bin/bash
# Evaluate a checkpoint on the CPU, in ./eval, log in ./eval/log:
#     bash run_eval_cpu.sh cifar10 /data/cifar10/cifar-10-verify-bin mobilenetv1-90_1562.ckpt
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3)) || usage "[cifar10|imagenet2012] [DATASET_PATH] [CHECKPOINT_PATH]"
require_dataset "$1"
require_dir DATASET_PATH "$2"
require_file CHECKPOINT_PATH "$3"

use_device 0
start_job eval/log "$model/eval.py" --dataset "$1" --device_target "${DEVICE_TARGET:-CPU}" \
    --dataset_path "$(absolute "$2")" --checkpoint_path "$(absolute "$3")" "${options[@]}"
