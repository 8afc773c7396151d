#!/bin/bash
# run_eval_gpu.sh for the checkpoints of a training started here:
#     bash ./scripts/run_eval.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

(($# <= 1)) || usage "[CKPT_LOCATION](default ./ckpt_0)"
exec bash "$model/scripts/run_eval_gpu.sh" "${1:-./ckpt_0}" "${options[@]}"
