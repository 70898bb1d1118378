"""The compute pool: small work in a thread, large work in a child process."""

import os
from functools import partial

import pytest

from mymozhem.concurrency.compute_pool import LARGE, ComputePool
from mymozhem.errors import Unavailable


async def test_small_work_runs_in_this_process_and_large_work_in_a_child():
    pool = ComputePool()
    assert await pool.run(os.getpid, size=LARGE - 1) == os.getpid()
    assert await pool.run(os.getpid, size=LARGE) != os.getpid()
    pool.close()
    pool.close()


async def test_a_child_that_dies_is_replaced():
    pool = ComputePool()
    with pytest.raises(Unavailable):
        await pool.run(partial(os._exit, 1), size=LARGE)
    with pytest.raises(ValueError, match="invalid literal"):
        await pool.run(partial(int, "x"), size=LARGE)
    pool.close()
