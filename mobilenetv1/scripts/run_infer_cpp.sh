#!/bin/bash
# Build the C++ program, predict a data set with it and compute the accuracy, which goes to
# ./acc.log; infer.log has the mean time of a prediction:
#     bash run_infer_cpp.sh ../mobilenetv1.mindir /data/ImageNet_Original/validation_preprocess CPU
# DATASET_PATH is a folder of class folders (ImageNet) or of CIFAR-10's binary files. What follows
# as --key value is for postprocess.py. More in utils/cpp_infer/README.md.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 3 || $# == 4)) || usage "[MINDIR_PATH] [DATASET_PATH] [DEVICE_TYPE] [DEVICE_ID](optional)"
use_cpp_infer
read_arguments "$1" "$2" "$3" "${4:-0}"
use_evaluation_split

prepare=("$python" "$model/preprocess.py" --data_path "$data_path" --mindir_path "$mindir_path"
    --result_path ./preprocess_Result)
if [[ -n $(find -L "$data_path" -maxdepth 2 -iname '[^.]*.bin' -print -quit) ]]; then
    dataset=cifar10
    input=./preprocess_Result/00_data
    labels=./preprocess_Result/cifar10_label_ids.npy
    fresh_folder "$input" "mobilenetv1_data_bs*.bin"
    rmdir -- "$input"
else
    dataset=imagenet2012
    input=$data_path
    labels=./preprocess_Result/imagenet_label.json
fi

step "preprocess dataset failed" preprocess.log "${prepare[@]}" --dataset "$dataset"
build
infer --dataset_name="$dataset" --dataset_path="$input"
postprocess --dataset "$dataset" --result_dir ./result_Files --label_dir "$labels" \
    --mindir_path "$mindir_path" "${options[@]}"
