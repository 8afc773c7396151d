#!/bin/bash
# Data-parallel training on the DEVICE_NUM (8) Ascend devices of one server, logs in
# ./train_parallel*/log:
#     bash run_distribute_train.sh imagenet2012 ~/hccl_8p.json /data/ImageNet_Original
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_train.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) ||
    usage "[cifar10|imagenet2012] [RANK_TABLE_FILE] [DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
use_devices "${DEVICE_NUM:-8}"
use_rank_table "$2"
require_dir DATASET_PATH "$3"
arguments=(--dataset "$1" --device_target "${DEVICE_TARGET:-Ascend}"
    --dataset_path "$(absolute "$3")" --run_distribute True --device_num "$RANK_SIZE")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi

export SERVER_ID=0
start_workers "train_parallel{}/log" "$model/train.py" "${arguments[@]}" "${options[@]}"
