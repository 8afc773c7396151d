#!/bin/bash
# Evaluate a checkpoint on the CPU, in ./eval, log in ./eval/log:
#     bash run_eval_cpu.sh cifar10 /data/cifar10/cifar-10-verify-bin mobilenetv1-90_1562.ckpt
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 3)) || usage "[cifar10|imagenet2012] [DATASET_PATH] [CHECKPOINT_PATH]"
require_dataset "$1"
require_dir DATASET_PATH "$2"
require_file CHECKPOINT_PATH "$3"
require_command python

arguments=(--dataset "$1" --device_target "${DEVICE_TARGET:-CPU}" --dataset_path "$(absolute "$2")"
    --checkpoint_path "$(absolute "$3")")
export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0
make_run_folder eval
start_job eval log python "$model/eval.py" "${arguments[@]}" "${options[@]}"
