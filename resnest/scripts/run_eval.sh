#!/bin/bash
# Evaluate a checkpoint on one Ascend device, log in scripts/EVAL_LOG/log.txt and below OUT_DIR:
#     bash scripts/run_eval.sh ./output resnest50-270_2502.ckpt --root /data/imagenet
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2)) || usage "[OUT_DIR] [PRETRAINED_CKPT_PATH]"
require_file PRETRAINED_CKPT_PATH "$2"

use_device 0
start_job "$model/scripts/EVAL_LOG/log.txt" "$model/eval.py" --outdir "$(absolute "$1")" \
    --pretrained_ckpt_path "$(absolute "$2")" --device_target "${DEVICE_TARGET:-Ascend}" \
    "${options[@]}"
