#!/bin/bash
# Train on one Ascend device into OUTPUT_DIR, log in scripts/LOG/log.txt:
#     bash run_train.sh ./output --root /data/imagenet
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 1)) || usage "[OUTPUT_DIR]"
require_command python
arguments=(--outdir "$(absolute "$1")" --device_target "${DEVICE_TARGET:-Ascend}")

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0 DEVICE_ID=0
cd -- "$model/scripts"
make_run_folder LOG
start_job LOG log.txt python "$model/train.py" "${arguments[@]}" "${options[@]}"
