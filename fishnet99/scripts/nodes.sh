# Copied from utils/vendored/nodes.sh by `make vendor`: change it there.
# A run on several machines; sourced by common.sh, never run. On each of NNODES nodes the same
# script is started with the same arguments, its NODE_RANK from 0 on, and MASTER_ADDR and
# MASTER_PORT: an address of node 0 that all can reach, and a port that is free there.
# shellcheck disable=SC2034  # job.sh uses `first_rank`.
set -euo pipefail

# Sets what is not set for a run on one node, `first_rank`, that of this node's first process, and
# RANK_SIZE, the processes of all nodes.
use_nodes() {
    export NNODES=${NNODES:-1} NODE_RANK=${NODE_RANK:-0}
    require_count NNODES "$NNODES"
    require_number NODE_RANK "$NODE_RANK"
    ((NODE_RANK < NNODES)) ||
        fail "NODE_RANK=$NODE_RANK is not below NNODES=$NNODES; nodes count from 0"
    ((NNODES == 1)) || [[ -n ${MASTER_ADDR:-} && -n ${MASTER_PORT:-} ]] ||
        fail "NNODES=$NNODES nodes need MASTER_ADDR, an address of node 0, and MASTER_PORT, a free\
 port there, the same on all nodes"
    ((NNODES > 1)) || MASTER_ADDR=127.0.0.1
    first_rank=$((NODE_RANK * DEVICE_NUM))
    export RANK_SIZE=$((NNODES * DEVICE_NUM))
}
