#!/bin/bash
# Data-parallel training on the DEVICE_NUM (4) GPUs of one server, log in ./train_parallel/log.txt:
#     bash run_distribute_train_gpu.sh imagenet2012 ../default_config_gpu_imagenet.yaml \
#         /data/ImageNet_Original
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_train_gpu.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) ||
    usage "[cifar10|imagenet2012] [CONFIG_PATH] [DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
require_file CONFIG_PATH "$2"
require_dir DATASET_PATH "$3"
use_devices "${DEVICE_NUM:-4}"
use_nodes
arguments=(--config_path "$(absolute "$2")" --dataset "$1" --device_target "${DEVICE_TARGET:-GPU}"
    --dataset_path "$(absolute "$3")" --run_distribute True --device_num "$RANK_SIZE")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi

start_on_gpus train_parallel/log.txt "$model/train.py" "${arguments[@]}" "${options[@]}"
