#!/bin/bash
# Evaluate a checkpoint, or all of a folder, on one Ascend device, log in ./eval_ascend.log:
#     bash ./scripts/run_eval_ascend.sh ./ckpt_0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

split_arguments "$@"
set -- "${positional[@]}"
(($# == 1)) || usage "[CKPT_LOCATION]"
[[ -e $1 ]] || fail "CKPT_LOCATION=$1 is neither a folder nor a file"
require_command python
[[ -w . ]] || fail "$PWD cannot be written; change to a folder you can write to"

export DEVICE_NUM=1 RANK_SIZE=1 RANK_ID=0
keep_old eval_ascend.log
start_job . eval_ascend.log python "$model/eval.py" --checkpoint_path "$1" \
    --device_type "${DEVICE_TARGET:-Ascend}" "${options[@]}"
