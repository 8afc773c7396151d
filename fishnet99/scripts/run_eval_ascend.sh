#!/bin/bash
# Evaluate a checkpoint, or all of a folder, on one Ascend device, log in ./eval_ascend.log:
#     bash ./scripts/run_eval_ascend.sh ./ckpt_0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# == 1)) || usage "[CKPT_LOCATION]"
[[ -e $1 ]] || fail "CKPT_LOCATION=$1 is neither a folder nor a file"

use_device 0
start_job eval_ascend.log "$model/eval.py" --checkpoint_path "$(absolute "$1")" \
    --device_type "${DEVICE_TARGET:-Ascend}" "${options[@]}"
