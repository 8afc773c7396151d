#!/bin/bash
# Evaluation on the DEVICE_NUM (8) Ascend devices of one server, logs in scripts/LOG*/eval_log.txt:
#     bash run_distribute_eval.sh ~/hccl_8p.json ./output resnest50-270_2502.ckpt --root /data/imagenet
# The same in two processes on the CPU: DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_eval.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 3)) || usage "[RANK_TABLE_FILE] [OUT_DIR] [PRETRAINED_CKPT_PATH]"
require_command msrun
export DEVICE_NUM=${DEVICE_NUM:-8}
require_count DEVICE_NUM "$DEVICE_NUM"
require_rank_table "$1"
require_file PRETRAINED_CKPT_PATH "$3"
arguments=(--run_distribute=True --outdir "$(absolute "$2")" --pretrained_ckpt_path "$(absolute "$3")"
    --device_target "${DEVICE_TARGET:-Ascend}")
port=$(master_port)
RANK_TABLE_FILE=$(absolute "$1")
export RANK_TABLE_FILE MINDSPORE_HCCL_CONFIG_PATH=$RANK_TABLE_FILE RANK_SIZE=$DEVICE_NUM HCCL_CONNECT_TIMEOUT=600

cd -- "$model/scripts"
for ((i = 0; i < DEVICE_NUM; i++)); do
    DEVICE_ID=$i RANK_ID=$i make_run_folder "LOG$i"
    use_worker_log LOG0 "$i" "LOG$i/eval_log.txt"
done
echo "each worker's log is LOGN/eval_log.txt in $PWD"
start_job LOG0 msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" --master_port="$port" \
    --join=True --log_dir=log_output "$model/eval.py" "${arguments[@]}" "${options[@]}"
