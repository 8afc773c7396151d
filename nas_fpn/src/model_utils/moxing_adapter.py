"""ModelArts under its documented name: ids of this process, data fetched and results stored."""

from src.vendored.modelarts import (
    get_device_id,
    get_device_num,
    get_job_id,
    get_rank_id,
    moxing_wrapper,
    sync_data,
    unzip_data_set,
)

__all__ = [
    "get_device_id",
    "get_device_num",
    "get_job_id",
    "get_rank_id",
    "moxing_wrapper",
    "sync_data",
    "unzip_data_set",
]
