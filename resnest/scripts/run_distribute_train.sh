#!/bin/bash
# Data-parallel training on the DEVICE_NUM (8) Ascend devices of one server, logs in scripts/LOG*/train_log.txt:
#     bash run_distribute_train.sh ~/hccl_8p.json --root /data/imagenet
# The same in two processes on the CPU: DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_train.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 1)) || usage "[RANK_TABLE_FILE]"
require_command msrun
export DEVICE_NUM=${DEVICE_NUM:-8}
require_count DEVICE_NUM "$DEVICE_NUM"
require_rank_table "$1"
arguments=(--run_distribute=True --device_num "$DEVICE_NUM" --device_target "${DEVICE_TARGET:-Ascend}")
port=$(master_port)
RANK_TABLE_FILE=$(absolute "$1")
export RANK_TABLE_FILE MINDSPORE_HCCL_CONFIG_PATH=$RANK_TABLE_FILE RANK_SIZE=$DEVICE_NUM HCCL_CONNECT_TIMEOUT=1200
export DEPLOY_MODE=0 GE_USE_STATIC_MEMORY=1

cd -- "$model/scripts"
for ((i = 0; i < DEVICE_NUM; i++)); do
    DEVICE_ID=$i RANK_ID=$i make_run_folder "LOG$i"
    use_worker_log LOG0 "$i" "LOG$i/train_log.txt"
done
bind_core=True
(($(nproc) >= DEVICE_NUM)) || bind_core=False
echo "each worker's log is LOGN/train_log.txt in $PWD"
# A rank table alone no longer starts a run since MindSpore 2.8: msrun does, and gives each worker its share of cores.
start_job LOG0 msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" --master_port="$port" \
    --join=True --log_dir=log_output --bind_core="$bind_core" "$model/train.py" "${arguments[@]}" "${options[@]}"
