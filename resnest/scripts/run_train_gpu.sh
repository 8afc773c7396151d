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

(($# == 0)) || usage ""

use_device 0
export PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
start_job "$model/train.log" "$model/train.py" --device_num 1 \
    --device_target "${DEVICE_TARGET:-GPU}" "${options[@]}"
