"""How long the stages of a command took."""

import time
from typing import Any


class Clock:
    """Wall-clock time of the stages of one run; JAX computes in the background, so a lap waits for its results."""

    def __init__(self):
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str, *results: Any) -> None:
        """End a stage."""
        import jax

        jax.block_until_ready(results)
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now
