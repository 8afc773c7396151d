# Copied from utils/vendored/device.py by `make vendor`: change it there.
"""The device of a run, and its part in a distributed one."""

import os

from .launch import UserError, integer_variable, printable

OLDEST, NEWEST = (2, 7), (2, 10)  # MindSpore versions
DEVICES_A_SERVER = 8


def set_up_device(
    device_target: str, device_id: int = 0, distributed: bool = False
) -> tuple[int, int]:
    """Graph mode on `device_target` (Ascend, GPU or CPU). Returns (rank, number of ranks).

    They are (0, 1) when not distributed. Raises UserError where the device or the launcher is not
    there.
    """
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    _check_version(ms.__version__)
    # Asked before the device is set: in a distributed run the scheduler would wait for its workers.
    if not ms.hal.is_available(device_target):
        raise UserError(
            f"this MindSpore has no {device_target}; choose --device_target CPU (scripts:"
            f" DEVICE_TARGET=CPU), or install MindSpore for {device_target}"
        )
    count = ms.hal.device_count(device_target)
    if not distributed and not 0 <= device_id < count:
        raise UserError(
            f"device_id {device_id} is out of range: {count} {device_target} device(s) here, from 0"
        )
    ms.set_context(mode=ms.GRAPH_MODE)
    if distributed and device_target != "Ascend":
        ms.set_device(device_target)  # The launcher decides which device a rank gets.
    else:
        ms.set_device(device_target, device_id)
    if not distributed:
        return 0, 1
    require_launcher()
    _meet_others(init)
    return get_rank(), get_group_size()


def require_launcher() -> None:
    """Raise UserError where nothing started this process as one of several."""
    launchers = ("MS_ROLE", "RANK_TABLE_FILE", "OMPI_COMM_WORLD_SIZE")
    if not any(name in os.environ for name in launchers):
        raise UserError(
            "a distributed run is started by scripts/run_distribute_train*.sh or by msrun, not by"
            " python"
        )


def _meet_others(init):
    try:
        init()
    except RuntimeError as error:
        if "cluster" not in str(error):
            raise
        address = f"{os.environ.get('MS_SCHED_HOST')}:{os.environ.get('MS_SCHED_PORT')}"
        raise UserError(
            f"the {os.environ.get('MS_WORKER_NUM')} processes of this run did not all come to"
            f" {address} in time; start every node, with the same NNODES, DEVICE_NUM, MASTER_ADDR"
            " and MASTER_PORT"
        ) from None


def _check_version(version):
    if not OLDEST <= tuple(int(part) for part in version.split(".")[:2]) <= NEWEST:
        raise UserError(
            f"MindSpore {printable(version)} is installed, this folder wants {OLDEST[0]}."
            f"{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}: install requirements.txt"
        )


def writer_of(rank: int) -> int:
    """The rank that writes for `rank`: the first of its server, the only one on one server.

    A server has as many as the scripts say in DEVICE_NUM, at most DEVICES_A_SERVER.
    """
    devices = min(integer_variable("DEVICE_NUM", 0) or DEVICES_A_SERVER, DEVICES_A_SERVER)
    return rank // devices * devices


def ranks_of_run() -> int:
    """Processes of a distributed run, as its launcher says in RANK_SIZE; 1 without it."""
    return integer_variable("RANK_SIZE", 1)


def parallel_workers(wanted: int) -> int:
    """`wanted` data-pipeline workers, or one a core if those are fewer: MindSpore refuses more."""
    return max(1, min(wanted, os.cpu_count() or 1))
