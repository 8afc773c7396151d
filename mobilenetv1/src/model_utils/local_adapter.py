"""Ids of this process outside ModelArts, from the launcher's environment variables."""

import os


def get_device_id():
    """Device id, from DEVICE_ID (0)."""
    return int(os.getenv("DEVICE_ID") or "0")


def get_device_num():
    """Number of devices of the run, from RANK_SIZE (1)."""
    return int(os.getenv("RANK_SIZE") or "1")


def get_rank_id():
    """Rank of this process, from RANK_ID (0)."""
    return int(os.getenv("RANK_ID") or "0")


def get_job_id():
    """A name for the job."""
    return "Local Job"
