#!/bin/bash
# Data-parallel training on the DEVICE_NUM (4) GPUs of one server, log in ./train_parallel/log.txt:
#     bash run_distribute_train_gpu.sh imagenet2012 ../default_config_gpu_imagenet.yaml /data/ImageNet_Original
# The same in two processes on the CPU: DEVICE_TARGET=CPU DEVICE_NUM=2 bash run_distribute_train_gpu.sh ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 3 || $# == 4)) ||
    usage "[cifar10|imagenet2012] [CONFIG_PATH] [DATASET_PATH] [PRETRAINED_CKPT_PATH](optional)"
require_dataset "$1"
require_file CONFIG_PATH "$2"
require_dir DATASET_PATH "$3"
export DEVICE_NUM=${DEVICE_NUM:-4}
require_count DEVICE_NUM "$DEVICE_NUM"
target=${DEVICE_TARGET:-GPU}
arguments=(--config_path "$(absolute "$2")" --dataset "$1" --device_target "$target" --dataset_path "$(absolute "$3")"
    --run_distribute True --device_num "$DEVICE_NUM")
if (($# == 4)); then
    require_file PRETRAINED_CKPT_PATH "$4"
    arguments+=(--pre_trained "$(absolute "$4")")
fi
require_command msrun
port=$(master_port)

export RANK_SIZE=$DEVICE_NUM
make_run_folder train_parallel
if [[ $target == GPU && -n $(command -v mpirun) ]]; then
    start_job train_parallel log.txt mpirun --allow-run-as-root -n "$DEVICE_NUM" --output-filename log_output \
        --merge-stderr-to-stdout python "$model/train.py" "${arguments[@]}" "${options[@]}"
else
    use_worker_log train_parallel 0 train_parallel/log.txt
    echo "the log of the first worker is train_parallel/log.txt in $PWD"
    start_job train_parallel msrun.log msrun --worker_num="$DEVICE_NUM" --local_worker_num="$DEVICE_NUM" \
        --master_port="$port" --join=True --log_dir=log_output "$model/train.py" "${arguments[@]}" "${options[@]}"
fi
