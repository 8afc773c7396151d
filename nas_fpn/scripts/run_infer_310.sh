#!/bin/bash
# Build the C++ program, predict the images of a folder with it and compute COCO's metrics, which go
# to ./acc.log; infer.log has the mean time of a prediction:
#     bash run_infer_310.sh ../retinanet_nasfpn.mindir /data/COCO2017/val2017 \
#         /data/COCO2017/annotations/instances_val2017.json 0
# On an Ascend 310, or on the device that DEVICE_TARGET names. What follows as --key value is for
# postprocess.py. More in utils/cpp_infer/README.md.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) || usage "[MINDIR_PATH] [DATA_PATH] [ANNO_PATH] [DEVICE_ID](optional)"
require_file ANNO_PATH "$3"
use_cpp_infer
read_arguments "$1" "$2" "${DEVICE_TARGET:-Ascend}" "${4:-0}"
anno_path=$(absolute "$3")
printf 'annotation path: %s\n' "$(visible "$anno_path")"
build
infer --dataset_path="$data_path"
postprocess --result_path ./result_Files --dataset_path "$data_path" --anno_path "$anno_path" \
    --mindir_path "$mindir_path" "${options[@]}"
