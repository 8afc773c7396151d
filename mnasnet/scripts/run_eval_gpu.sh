#!/bin/bash
# Evaluate a checkpoint on one GPU, log in ./eval.log:
#     bash scripts/run_eval_gpu.sh /data/imagenet/val checkpoint/model_0/Mnasnet-rank0-300_625.ckpt
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[DATASET_PATH] [CHECKPOINT_PATH]"
require_dir DATASET_PATH "$1"
require_file CHECKPOINT_PATH "$2"
require_command python
[[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0
keep_old eval.log
start_job . eval.log python "$model/eval.py" --dataset_path "$1" --checkpoint_path "$2" \
    --device_target "${DEVICE_TARGET:-GPU}" "${options[@]}"
