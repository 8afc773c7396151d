#!/bin/bash
# Evaluation on the DEVICE_NUM (8) Ascend devices of one server, logs in scripts/LOG*/eval_log.txt:
#     bash run_distribute_eval.sh ~/hccl_8p.json ./output resnest50-270_2502.ckpt --root /data
# The same in two processes on the CPU:
#     DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_eval.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3)) || usage "[RANK_TABLE_FILE] [OUT_DIR] [PRETRAINED_CKPT_PATH]"
use_devices "${DEVICE_NUM:-8}"
use_rank_table "$1"
require_file PRETRAINED_CKPT_PATH "$3"

export MINDSPORE_HCCL_CONFIG_PATH=$RANK_TABLE_FILE HCCL_CONNECT_TIMEOUT=600
export DEPLOY_MODE=0 GE_USE_STATIC_MEMORY=1
start_workers "$model/scripts/LOG{}/eval_log.txt" "$model/eval.py" --run_distribute=True \
    --outdir "$(absolute "$2")" --pretrained_ckpt_path "$(absolute "$3")" \
    --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
