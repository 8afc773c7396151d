#!/bin/bash
# run_infer_cpp.sh on an Ascend 310, or on the device that DEVICE_TARGET names:
#     bash run_infer_310.sh ../mobilenetv1.mindir /data/ImageNet_Original/validation_preprocess 0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2 || $# == 3)) || usage "[MINDIR_PATH] [DATASET_PATH] [DEVICE_ID](optional)"
exec bash "$model/scripts/run_infer_cpp.sh" "$1" "$2" "${DEVICE_TARGET:-Ascend}" "${3:-0}" \
    "${options[@]}"
