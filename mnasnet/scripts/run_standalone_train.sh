#!/bin/bash
# Train on one Ascend device, in the current folder, log in ./log.txt:
#     bash ./scripts/run_standalone_train.sh 0 /data/imagenet/train
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2)) || usage "[DEVICE_ID] [DATA_DIR]"
require_number DEVICE_ID "$1"
require_dir DATA_DIR "$2"

use_device "$1"
start_job log.txt "$model/train.py" --device_id "$1" --dataset_path "$(absolute "$2")" \
    --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
