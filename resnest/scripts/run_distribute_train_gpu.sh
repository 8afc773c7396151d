#!/bin/bash
# Data-parallel training on DEVICE_NUM GPUs of one server into output, log in train_dis.log, both beside train.py:
#     bash scripts/run_distribute_train_gpu.sh 8 --root /data/imagenet
# The same in two processes on the CPU: DEVICE_TARGET=CPU bash scripts/run_distribute_train_gpu.sh 2 ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

echo "=============================================================================="
echo "Please run the script as:"
echo "    bash scripts/run_distribute_train_gpu.sh DEVICE_NUM"
echo "=============================================================================="
split_arguments "$@"
set -- "${positional[@]}"
(($# == 1)) || usage "[DEVICE_NUM]"
require_count DEVICE_NUM "$1"
require_command msrun
target=${DEVICE_TARGET:-GPU}
port=$(master_port)
export DEVICE_NUM=$1 RANK_SIZE=$1 PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
train=("$model/train.py" --device_num "$1" --device_target "$target" --run_distribute True "${options[@]}")

cd -- "$model"
keep_old log_output1
keep_old train_dis.log
if [[ $target == GPU && -n $(command -v mpirun) ]]; then
    start_job . train_dis.log mpirun -n "$1" --allow-run-as-root --output-filename log_output1 \
        --merge-stderr-to-stdout python "${train[@]}"
else
    echo "each worker's log is in $PWD/log_output1"
    start_job . train_dis.log msrun --worker_num="$1" --local_worker_num="$1" --master_port="$port" --join=True \
        --log_dir=log_output1 "${train[@]}"
fi
