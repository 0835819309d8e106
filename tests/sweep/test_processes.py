"""One program of two processes on this machine: both compute, the first writes the same bytes as a single process."""

import json
import socket


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_two_processes(long_sweep, start, tmp_path, contents):
    path, whole = long_sweep
    together = "--coordinator", f"127.0.0.1:{free_port()}", "--devices", "1", "--chunk", "20"
    first = start("sweep", path, "--output", tmp_path, *together, "--process", "0/2", "--json")
    second = start("sweep", path, "--output", tmp_path, *together, "--process", "1/2", "--json")
    out, error = first.communicate(timeout=300)
    assert first.returncode == 0, error
    assert second.wait(timeout=60) == 0
    told = json.loads(out[out.index("{") :])
    assert told["computed"] == 6000
    assert contents(tmp_path / "liquid.zarr") == contents(whole)
