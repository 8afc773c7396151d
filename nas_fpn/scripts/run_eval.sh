#!/bin/bash
# Evaluate a checkpoint on one Ascend device, in ./eval<DATASET>, log in ./eval<DATASET>/eval.log:
#     bash scripts/run_eval.sh 0 coco /home/DataSet/MindRecord_COCO/ retinanet_nasfpn-300_916.ckpt \
#         /home/DataSet/cocodataset/annotations/instances_{}.json
# {} stands for the name of the validation images, val2017.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 5)) || usage "[DEVICE_ID] [DATASET] [MINDRECORD_DIR] [CHECKPOINT_PATH] [ANN_FILE]"
require_number DEVICE_ID "$1"
[[ $2 == coco ]] || fail "DATASET=$2 is not coco"
require_dir MINDRECORD_DIR "$3"
require_file CHECKPOINT_PATH "$4"
[[ -d $(dirname "$5") ]] || fail "ANN_FILE=$5 is in no folder that is there"

use_device "$1"
start_job "eval$2/eval.log" "$model/eval.py" --device_target "${DEVICE_TARGET:-Ascend}" \
    --device_id "$1" --dataset "$2" --mindrecord_dir "$(absolute "$3")" \
    --checkpoint_path "$(absolute "$4")" --instances_set "$(absolute "$5")" "${options[@]}"
