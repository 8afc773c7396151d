#!/bin/bash
# Train on one GPU into output, log in train.log, both beside train.py:
#     bash scripts/run_train_gpu.sh --root /data/imagenet
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

echo "=============================================================================="
echo "Please run the script as:"
echo "    bash scripts/run_train_gpu.sh"
echo "=============================================================================="
split_arguments "$@"
set -- "${positional[@]}"
(($# == 0)) || usage ""
require_command python
arguments=(--device_num 1 --device_target "${DEVICE_TARGET:-GPU}")

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0 PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
cd -- "$model"
keep_old train.log
start_job . train.log python "$model/train.py" "${arguments[@]}" "${options[@]}"
