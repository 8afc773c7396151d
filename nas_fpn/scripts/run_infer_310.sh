#!/bin/bash
# Build the C++ program, predict the images of a folder on an Ascend 310, and compute COCO's metrics, which go to
# ./acc.log; infer.log has the mean time of a prediction. DEVICE_TARGET=CPU (or GPU) takes another device. What follows
# as --key value is for postprocess.py:
#     bash run_infer_310.sh ../retinanet_nasfpn.mindir /data/COCO2017/val2017 \
#         /data/COCO2017/annotations/instances_val2017.json 0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../utils/cpp_infer/infer_steps.sh
source "${CPP_INFER_HOME:-$(dirname "$(realpath "$0")")/../../utils/cpp_infer}/infer_steps.sh"

paths=()
while (($# > 0)) && [[ $1 != --* ]]; do
    paths+=("$1")
    shift
done
((${#paths[@]} == 3 || ${#paths[@]} == 4)) ||
    usage "[MINDIR_PATH] [DATA_PATH] [ANNO_PATH] [DEVICE_ID](optional) [--key value ...]"
[[ -f ${paths[2]} ]] || fail "ANNO_PATH=${paths[2]} is not a file"
read_arguments "${paths[0]}" "${paths[1]}" "${DEVICE_TARGET:-Ascend}" "${paths[3]:-0}"
anno_path=$(absolute "${paths[2]}")
printf 'annotation path: %s\n' "$anno_path"
build
infer --dataset_path="$data_path"
postprocess --result_path ./result_Files --dataset_path "$data_path" --anno_path "$anno_path" "$@"
