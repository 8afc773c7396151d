#!/bin/bash
# Evaluate a checkpoint, or all of a folder, on one GPU, log in ./eval.log:
#     bash ./scripts/run_eval_gpu.sh ./ckpt_0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 1)) || usage "[CKPT_LOCATION]"
[[ -e $1 ]] || fail "CKPT_LOCATION=$1 is neither a folder nor a file"

use_device 0
start_job eval.log "$model/eval.py" --checkpoint_path "$(absolute "$1")" \
    --device_type "${DEVICE_TARGET:-GPU}" "${options[@]}"
