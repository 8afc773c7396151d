#!/bin/bash
# run_infer_cpp.sh on an Ascend 310, or on the device that DEVICE_TARGET names:
#     bash run_infer_310.sh ../mobilenetv1.mindir /data/ImageNet_Original/validation_preprocess 0
set -euo pipefail
(($# == 2 || $# == 3)) || {
    echo "Usage: bash $0 [MINDIR_PATH] [DATASET_PATH] [DEVICE_ID](optional)" >&2
    exit 1
}
exec bash "$(dirname "$(realpath "$0")")/run_infer_cpp.sh" "$1" "$2" "${DEVICE_TARGET:-Ascend}" "${3:-0}"
