#!/bin/bash
# Train on one GPU device, in the current folder, log in ./train_gpu.log:
#     bash ./scripts/run_standalone_train_gpu.sh
#     bash ./scripts/run_standalone_train_gpu.sh --data_path /data/ILSVRC2012_train --epoch_size 90
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
((${#positional[@]} == 0)) || usage "(no other arguments)"
require_command python
[[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0
[[ " ${options[*]} " == *" --resume "* ]] || keep_old train_gpu.log
start_job . train_gpu.log python "$model/train.py" --device_id 0 --device_type "${DEVICE_TARGET:-GPU}" "${options[@]}"
