#!/bin/bash
# Train on one Ascend device, in ./LOG<DEVICE_ID>, log in ./LOG<DEVICE_ID>/log.txt, checkpoints in
# its ckpt:
#     bash scripts/run_single_train.sh 0 /home/DataSet/MindRecord_COCO/
# PRE_TRAINED is a checkpoint to start from, PRE_TRAINED_EPOCH_SIZE the epochs behind it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2 || $# == 4)) || usage "[DEVICE_ID] [MINDRECORD_DIR] [PRE_TRAINED](optional)\
 [PRE_TRAINED_EPOCH_SIZE](optional)"
require_number DEVICE_ID "$1"
require_dir MINDRECORD_DIR "$2"
arguments=(--device_target "${DEVICE_TARGET:-Ascend}" --device_id "$1" --distribute False
    --mindrecord_dir "$(absolute "$2")")
if (($# == 4)); then
    require_file PRE_TRAINED "$3"
    arguments+=(--pre_trained "$(absolute "$3")" --pre_trained_epoch_size "$4")
fi

use_device "$1"
start_job "LOG$1/log.txt" "$model/train.py" "${arguments[@]}" "${options[@]}"
