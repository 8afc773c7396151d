#!/bin/bash
# Evaluate a checkpoint on one GPU, log in eval.log beside eval.py and below OUT_DIR/valid:
#     bash scripts/run_eval_gpu.sh ./output1 resnest50-270_2502.ckpt --root /data/imagenet
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

echo "=============================================================================="
echo "Please run the script as:"
echo "    bash scripts/run_eval_gpu.sh OUT_DIR PRETRAINED_CKPT_PATH"
echo "=============================================================================="
split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[OUT_DIR] [PRETRAINED_CKPT_PATH]"
require_file PRETRAINED_CKPT_PATH "$2"
require_command python
arguments=(--outdir "$(absolute "$1")" --pretrained_ckpt_path "$(absolute "$2")"
    --device_target "${DEVICE_TARGET:-GPU}")

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0 PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
cd -- "$model"
keep_old eval.log
start_job . eval.log python "$model/eval.py" "${arguments[@]}" "${options[@]}"
