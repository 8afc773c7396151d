#!/bin/bash
# Train on one Ascend device into OUTPUT_DIR, log in scripts/LOG/log.txt:
#     bash run_train.sh ./output --root /data/imagenet
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 1)) || usage "[OUTPUT_DIR]"

use_device 0
start_job "$model/scripts/LOG/log.txt" "$model/train.py" --outdir "$(absolute "$1")" \
    --device_target "${DEVICE_TARGET:-Ascend}" "${options[@]}"
