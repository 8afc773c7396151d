#!/bin/bash
# Train on one Ascend device, in ./train, log in ./train/log.txt:
#     bash run_standalone_train.sh imagenet2012 /data/ImageNet_Original 0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 3 || $# == 4)) || usage "[cifar10|imagenet2012] [DATASET_PATH] [DEVICE_ID] [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
require_dir DATASET_PATH "$2"
require_number DEVICE_ID "$3"
arguments=(--dataset "$1" --device_target "${DEVICE_TARGET:-Ascend}" --dataset_path "$(absolute "$2")" --device_id "$3")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi
require_command python

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=$3
make_run_folder train
start_job train log.txt python "$model/train.py" "${arguments[@]}" "${options[@]}"
