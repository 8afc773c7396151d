#!/bin/bash
# Evaluate an ONNX file on the CPU of a machine with Ascend, for which onnxruntime has no provider,
# log in ./eval.log:
#     bash ./scripts/run_eval_onnx.sh /data/imagenet/val MNasNet.onnx
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2)) || usage "[DATA_DIR] [ONNX_PATH]"
require_dir DATA_DIR "$1"
require_file ONNX_PATH "$2"

use_device 0
start_job eval.log "$model/eval_onnx.py" --dataset_path "$(absolute "$1")" \
    --onnx_url "$(absolute "$2")" --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
