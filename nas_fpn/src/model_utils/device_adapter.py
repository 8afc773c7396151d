"""Ids of this process: ModelArts', which sets JOB_ID, or the local ones."""

import os

from src.model_utils import local_adapter, moxing_adapter
from src.model_utils.local_adapter import get_device_id, get_device_num, get_rank_id

__all__ = ["get_device_id", "get_device_num", "get_job_id", "get_rank_id"]


def get_job_id() -> str:
    """The job's name."""
    adapter = moxing_adapter if os.environ.get("JOB_ID") else local_adapter
    return adapter.get_job_id()
