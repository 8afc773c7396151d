#!/bin/bash
# Data-parallel training on the DEVICE_NUM (8) Ascend devices of one server, logs in
# ./train_parallel*/log.txt:
#     bash ./run_distribute_train.sh ~/hccl_8p.json /data/imagenet/train
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU DEVICE_NUM=2 bash ./run_distribute_train.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2)) || usage "[RANK_TABLE_FILE] [DATA_DIR]"
use_devices "${DEVICE_NUM:-8}"
use_rank_table "$1"
require_dir DATA_DIR "$2"

start_workers "train_parallel{}/log.txt" "$model/train.py" --run_distribute True \
    --dataset_path "$(absolute "$2")" --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
