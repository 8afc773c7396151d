#!/bin/bash
# Train on one Ascend device, in the current folder, log in ./log.txt:
#     bash ./scripts/run_standalone_train.sh 0 /data/imagenet/train
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 2)) || usage "[DEVICE_ID] [DATA_DIR]"
require_number DEVICE_ID "$1"
require_dir DATA_DIR "$2"
require_command python
[[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=$1
[[ " ${options[*]} " == *" --resume "* ]] || keep_old log.txt
start_job . log.txt python "$model/train.py" --device_id "$1" --dataset_path "$2" \
    --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
