"""Ids of this process outside ModelArts, from the launcher's environment variables."""

from src.vendored.modelarts import get_device_id, get_device_num, get_rank_id

__all__ = ["get_device_id", "get_device_num", "get_job_id", "get_rank_id"]


def get_job_id() -> str:
    """A name for the job."""
    return "Local Job"
