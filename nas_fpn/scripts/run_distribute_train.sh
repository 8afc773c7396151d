#!/bin/bash
# Data-parallel training on DEVICE_NUM Ascend devices of one server, logs in ./LOG*/log.txt, checkpoints in ./LOG0/ckpt:
#     bash scripts/run_distribute_train.sh 8 ~/rank_table_8pcs.json /home/DataSet/MindRecord_COCO/
# The same in two processes on the CPU: DEVICE_TARGET=CPU bash scripts/run_distribute_train.sh 2 ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 3 || $# == 5)) || usage "[DEVICE_NUM] [RANK_TABLE_FILE] [MINDRECORD_DIR] [PRE_TRAINED](optional)\
 [PRE_TRAINED_EPOCH_SIZE](optional)"
require_command msrun
require_count DEVICE_NUM "$1"
export DEVICE_NUM=$1
require_rank_table "$2"
require_dir MINDRECORD_DIR "$3"
cores=$(nproc)
arguments=(--device_target "${DEVICE_TARGET:-Ascend}" --distribute True --mindrecord_dir "$(absolute "$3")"
    --workers "$((cores >= DEVICE_NUM ? cores / DEVICE_NUM : 1))")
if (($# == 5)); then
    require_file PRE_TRAINED "$4"
    arguments+=(--pre_trained "$(absolute "$4")" --pre_trained_epoch_size "$5")
fi
port=$(master_port)
RANK_TABLE_FILE=$(absolute "$2")
export RANK_TABLE_FILE RANK_SIZE=$DEVICE_NUM

for ((i = 0; i < DEVICE_NUM; i++)); do
    DEVICE_ID=$i RANK_ID=$i make_run_folder "LOG$i"
    use_worker_log LOG0 "$i" "LOG$i/log.txt"
done
bind_core=True
((cores >= DEVICE_NUM)) || bind_core=False
echo "each worker's log is LOGN/log.txt in $PWD"
# Since MindSpore 2.8 a rank table alone no longer starts a run. msrun does, and gives each worker its DEVICE_ID and
# RANK_ID and a share of the cores; what still reads the table finds it through RANK_TABLE_FILE. All workers run in
# LOG0, where the first one saves its checkpoints.
start_job LOG0 msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" --master_port="$port" \
    --join=True --log_dir=log_output --bind_core="$bind_core" "$model/train.py" "${arguments[@]}" "${options[@]}"
