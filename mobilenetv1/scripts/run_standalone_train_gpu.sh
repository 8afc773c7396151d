#!/bin/bash
# Train on one GPU, in ./train, log in ./train/log.txt:
#     bash run_standalone_train_gpu.sh imagenet2012 /data/ImageNet_Original
#     bash run_standalone_train_gpu.sh cifar10 /data/cifar-10-batches-bin 3 mobilenetv1-90_1562.ckpt
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# >= 2 && $# <= 4)) || usage "[cifar10|imagenet2012] [DATASET_PATH] [DEVICE_ID](optional)\
 [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
require_dir DATASET_PATH "$2"
arguments=(--dataset "$1" --device_target "${DEVICE_TARGET:-GPU}" --dataset_path "$(absolute "$2")")
shift 2
# The documentation has the checkpoint third, other versions the device: a number that is no file is
# the device.
if (($# == 2)) || [[ $# == 1 && $1 =~ ^[0-9]+$ && ! -f $1 ]]; then
    require_number DEVICE_ID "$1"
    export CUDA_VISIBLE_DEVICES=$1
    shift
fi
if (($# == 1)); then
    require_file PRETRAINED_CKPT_PATH "$1"
    arguments+=(--pre_trained "$(absolute "$1")")
fi

use_device 0 # DEVICE_ID counts the visible devices.
start_job train/log.txt "$model/train.py" "${arguments[@]}" "${options[@]}"
