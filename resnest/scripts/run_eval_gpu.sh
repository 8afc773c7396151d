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

(($# == 2)) || usage "[OUT_DIR] [PRETRAINED_CKPT_PATH]"
require_file PRETRAINED_CKPT_PATH "$2"

use_device 0
export PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
start_job "$model/eval.log" "$model/eval.py" --outdir "$(absolute "$1")" \
    --pretrained_ckpt_path "$(absolute "$2")" --device_target "${DEVICE_TARGET:-GPU}" \
    "${options[@]}"
