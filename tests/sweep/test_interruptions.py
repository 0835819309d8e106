"""Nothing lost, nothing twice: a sweep killed again and again ends with the store of an uninterrupted one.

The sweeps that are killed run on two devices, and the one they are compared with on one.
"""

import json
import random
import time

import pytest


def chunks_done(store):
    folder = store / "checksum" / "c"
    return sum(1 for file in folder.iterdir() if file.suffix != ".partial") if folder.is_dir() else 0


def kill_and_resume(moments, path, start, tmp_path, seed):
    """The store after so many kills, resumed after each and brought to its end."""
    rng = random.Random(seed)
    store = tmp_path / "liquid.zarr"
    # ends of equal shares of the sweep, each moved at random, and a random moment within a chunk
    targets = [1 + int(300 * (i + rng.random()) / (moments + 1)) for i in range(moments)]
    seen = []
    for target in targets:
        process = start("sweep", path, "--resume", "--output", tmp_path, "--chunk", "20", "--devices", "2")
        while process.poll() is None and chunks_done(store) < target:
            time.sleep(0.002)
        time.sleep(0.02 * rng.random())
        process.kill()
        process.communicate()
        seen.append(chunks_done(store))
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[0] < 320
    last = start("sweep", path, "--resume", "--output", tmp_path, "--json")
    out, error = last.communicate(timeout=300)
    assert last.returncode == 0, error
    computed, left = json.loads(out)["computed"], 320 - seen[-1]  # chunks of 18 or 19 states
    assert 18 * left <= computed <= 19 * left
    return store


def test_three_kills(long_sweep, start, tmp_path, contents):
    path, whole = long_sweep
    assert contents(kill_and_resume(3, path, start, tmp_path, seed=3)) == contents(whole)


@pytest.mark.slow
def test_twenty_kills(long_sweep, start, tmp_path, contents):
    path, whole = long_sweep
    assert contents(kill_and_resume(20, path, start, tmp_path, seed=20)) == contents(whole)
