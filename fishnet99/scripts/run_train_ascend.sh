#!/bin/bash
# Data-parallel training on the DEVICE_NUM (8) Ascend devices of one server, logs in
# ./train_parallel*/log:
#     bash ./scripts/run_train_ascend.sh ~/hccl_8p.json
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU DEVICE_NUM=2 bash ./scripts/run_train_ascend.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 1)) || usage "[RANK_TABLE_FILE]"
use_devices "${DEVICE_NUM:-8}"
use_rank_table "$1"

start_workers "train_parallel{}/log" "$model/train.py" --device_type "${DEVICE_TARGET:-Ascend}" \
    "${options[@]}"
