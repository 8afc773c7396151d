#!/bin/bash
# Evaluate a checkpoint on one Ascend device, log in scripts/EVAL_LOG/log.txt and below OUT_DIR:
#     bash scripts/run_eval.sh ./output resnest50-270_2502.ckpt --root /data/imagenet
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[OUT_DIR] [PRETRAINED_CKPT_PATH]"
require_file PRETRAINED_CKPT_PATH "$2"
require_command python
arguments=(--outdir "$(absolute "$1")" --pretrained_ckpt_path "$(absolute "$2")"
    --device_target "${DEVICE_TARGET:-Ascend}")

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0
cd -- "$model/scripts"
make_run_folder EVAL_LOG
start_job EVAL_LOG log.txt python "$model/eval.py" "${arguments[@]}" "${options[@]}"
