#!/bin/bash
# Train on one Ascend device, in the current folder, log in ./train.log:
#     bash ./scripts/run_standalone_train_ascend.sh
#     bash ./scripts/run_standalone_train_ascend.sh --data_path /data/ILSVRC2012_train
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 0)) || usage ""

use_device 0
start_job train.log "$model/train.py" --device_id 0 --device_type "${DEVICE_TARGET:-Ascend}" \
    "${options[@]}"
