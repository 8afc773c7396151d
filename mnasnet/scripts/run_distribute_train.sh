#!/bin/bash
# Data-parallel training on the DEVICE_NUM (8) Ascend devices of one server, logs in ./train_parallel*/log.txt:
#     bash ./run_distribute_train.sh ~/hccl_8p.json /data/imagenet/train
# The same in two processes on the CPU: DEVICE_TARGET=CPU DEVICE_NUM=2 bash ./run_distribute_train.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[RANK_TABLE_FILE] [DATA_DIR]"
require_command msrun
export DEVICE_NUM=${DEVICE_NUM:-8}
require_count DEVICE_NUM "$DEVICE_NUM"
require_rank_table "$1"
require_dir DATA_DIR "$2"
data=$(absolute "$2")
port=$(master_port)
RANK_TABLE_FILE=$(absolute "$1")
export RANK_TABLE_FILE RANK_SIZE=$DEVICE_NUM

for ((i = 0; i < DEVICE_NUM; i++)); do
    DEVICE_ID=$i RANK_ID=$i make_run_folder "train_parallel$i"
    use_worker_log train_parallel0 "$i" "train_parallel$i/log.txt"
done
bind_core=True
(($(nproc) >= DEVICE_NUM)) || bind_core=False
echo "each worker's log is train_parallelN/log.txt in $PWD"
# Since MindSpore 2.8 a rank table alone no longer starts a run. msrun does, and gives each worker its DEVICE_ID and
# RANK_ID and a share of the cores; what still reads the table finds it through RANK_TABLE_FILE. All workers run in
# train_parallel0, where the first one saves its checkpoints.
start_job train_parallel0 msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" \
    --master_port="$port" --join=True --log_dir=log_output --bind_core="$bind_core" \
    "$model/train.py" --run_distribute True --dataset_path "$data" --device_target "${DEVICE_TARGET:-Ascend}" \
    "${options[@]}"
