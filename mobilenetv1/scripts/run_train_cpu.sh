#!/bin/bash
# Train on the CPU, in ./train, log in ./train/log.txt:
#     bash run_train_cpu.sh cifar10 /data/cifar10/cifar-10-batches-bin --epoch_size 5
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2 || $# == 3)) ||
    usage "[cifar10|imagenet2012] [DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
require_dir DATASET_PATH "$2"
arguments=(--dataset "$1" --device_target "${DEVICE_TARGET:-CPU}" --dataset_path "$(absolute "$2")")
if (($# == 3)); then
    require_file PRETRAINED_CKPT_PATH "$3"
    arguments+=(--pre_trained "$(absolute "$3")")
fi

use_device 0
start_job train/log.txt "$model/train.py" "${arguments[@]}" "${options[@]}"
