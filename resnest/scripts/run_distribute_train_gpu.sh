#!/bin/bash
# Data-parallel training on DEVICE_NUM GPUs of one server into output, log in train_dis.log, both
# beside train.py:
#     bash scripts/run_distribute_train_gpu.sh 8 --root /data/imagenet
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU bash scripts/run_distribute_train_gpu.sh 2 ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

echo "=============================================================================="
echo "Please run the script as:"
echo "    bash scripts/run_distribute_train_gpu.sh DEVICE_NUM"
echo "=============================================================================="

(($# == 1)) || usage "[DEVICE_NUM]"
use_devices "$1"
use_nodes

export PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
log_output=log_output1
start_on_gpus "$model/train_dis.log" "$model/train.py" --device_num "$RANK_SIZE" \
    --device_target "${DEVICE_TARGET:-GPU}" --run_distribute True "${options[@]}"
