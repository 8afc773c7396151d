#!/bin/bash
# Build the C++ program, predict images with it and compute the accuracy, which goes to ./acc.log:
#     bash run_infer_310.sh ../MNasNet.mindir /data/imagenet/val 0
# On an Ascend 310, or on the device that DEVICE_TARGET names. More in utils/cpp_infer/README.md.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../utils/cpp_infer/infer_steps.sh
source "${CPP_INFER_HOME:-$(dirname "$(realpath "$0")")/../../utils/cpp_infer}/infer_steps.sh"

(($# == 2 || $# == 3)) || usage "[MINDIR_PATH] [DATA_PATH] [DEVICE_ID](optional)"
read_arguments "$1" "$2" "${DEVICE_TARGET:-Ascend}" "${3:-0}"
build
infer --dataset_path="$data_path"
step "calculate accuracy failed" label.log "$python" "$model_dir/create_imagenet2012_label.py" --img_path "$data_path"
postprocess --result_path ./result_Files --label_path ./imagenet_label.json
