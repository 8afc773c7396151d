#!/bin/bash
# Evaluate an ONNX file on the CPU of a machine with Ascend, for which onnxruntime has no provider, log in ./eval.log:
#     bash ./scripts/run_eval_onnx.sh /data/imagenet/val MNasNet.onnx
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[DATA_DIR] [ONNX_PATH]"
require_dir DATA_DIR "$1"
require_file ONNX_PATH "$2"
require_command python
[[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"

keep_old eval.log
start_job . eval.log python "$model/eval_onnx.py" --dataset_path "$1" --onnx_url "$2" \
    --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
