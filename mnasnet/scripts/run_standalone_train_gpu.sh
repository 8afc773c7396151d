#!/bin/bash
# Train on one GPU, in the current folder, log in ./train.log:
#     bash scripts/run_standalone_train_gpu.sh /data/imagenet/train
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 1 || $# == 2)) || usage "[DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
require_dir DATASET_PATH "$1"
arguments=(--dataset_path "$1" --device_target "${DEVICE_TARGET:-GPU}")
if (($# == 2)); then
    require_file PRETRAINED_CKPT_PATH "$2"
    arguments+=(--pre_trained "$2")
fi
require_command python
[[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0
[[ " ${options[*]} " == *" --resume "* ]] || keep_old train.log
start_job . train.log python "$model/train.py" "${arguments[@]}" "${options[@]}"
