#!/bin/bash
# Data-parallel training on DEVICE_NUM Ascend devices of one server, logs in ./LOG*/log.txt,
# checkpoints in ./LOG0/ckpt:
#     bash scripts/run_distribute_train.sh 8 ~/rank_table_8pcs.json /home/DataSet/MindRecord_COCO/
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU bash scripts/run_distribute_train.sh 2 ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 5)) || usage "[DEVICE_NUM] [RANK_TABLE_FILE] [MINDRECORD_DIR]\
 [PRE_TRAINED](optional) [PRE_TRAINED_EPOCH_SIZE](optional)"
use_devices "$1"
use_rank_table "$2"
require_dir MINDRECORD_DIR "$3"
cpus=$(nproc)
arguments=(--device_target "${DEVICE_TARGET:-Ascend}" --distribute True
    --mindrecord_dir "$(absolute "$3")"
    --workers "$((cpus >= DEVICE_NUM ? cpus / DEVICE_NUM : 1))")
if (($# == 5)); then
    require_file PRE_TRAINED "$4"
    arguments+=(--pre_trained "$(absolute "$4")" --pre_trained_epoch_size "$5")
fi

start_workers "LOG{}/log.txt" "$model/train.py" "${arguments[@]}" "${options[@]}"
