#!/bin/bash
# Data-parallel training on the DEVICE_NUM (8) Ascend devices of one server, logs in
# scripts/LOG*/train_log.txt:
#     bash run_distribute_train.sh ~/hccl_8p.json --root /data/imagenet
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_train.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 1)) || usage "[RANK_TABLE_FILE]"
use_devices "${DEVICE_NUM:-8}"
use_rank_table "$1"

export MINDSPORE_HCCL_CONFIG_PATH=$RANK_TABLE_FILE HCCL_CONNECT_TIMEOUT=1200
export DEPLOY_MODE=0 GE_USE_STATIC_MEMORY=1
start_workers "$model/scripts/LOG{}/train_log.txt" "$model/train.py" --run_distribute=True \
    --device_num "$RANK_SIZE" --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
