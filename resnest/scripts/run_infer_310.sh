#!/bin/bash
# Build the C++ program, predict a folder of class folders with it and compute the accuracy, which
# goes to ./acc.log; infer.log has the mean time of a prediction:
#     bash run_infer_310.sh ../resnest50.mindir /data/imagenet/val 0
# On an Ascend 310, or on the device that DEVICE_TARGET names. What follows as --key value is for
# postprocess.py. More in utils/cpp_infer/README.md.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 2 || $# == 3)) || usage "[MINDIR_PATH] [DATA_PATH] [DEVICE_ID](optional)"
use_cpp_infer
read_arguments "$1" "$2" "${DEVICE_TARGET:-Ascend}" "${3:-0}"
use_evaluation_split
label
build
infer --dataset_path="$data_path"
postprocess --result_path ./result_Files --label_path ./imagenet_label.json \
    --mindir_path "$mindir_path" "${options[@]}"
