"""Clear errors for bad input, where the value is known.

Under `jit`, `vmap` and `grad` a value is a tracer and cannot be looked at: there the checks stay silent, and
what went wrong shows on the result (`converged`, `status`).
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np


class InputError(ValueError):
    """A value that cannot be used; the message names it and the remedy. The command line exits with 2."""


class NoResultError(RuntimeError):
    """The calculation has no result; the message names what is missing and what to try. Exit code 3."""


def is_traced(value: Any) -> bool:
    """Whether `value` (any PyTree) holds a tracer, or a mere shape, so that its numbers cannot be looked at."""
    return any(isinstance(leaf, jax.core.Tracer | jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(value))


def require(name: str, value: Any, holds: Callable[[np.ndarray], Any], remedy: str) -> None:
    """Raise `InputError` naming `name`, the first offending number and `remedy` unless `holds(value)` everywhere.

    A traced value passes: it has no numbers yet.
    """
    if is_traced(value):
        return
    array = np.asarray(value)
    good = np.broadcast_to(np.asarray(holds(array), dtype=bool), array.shape)
    if not good.all():
        raise InputError(f"{name} = {array[~good].ravel()[0]:.6g}: {remedy}")


def require_finite(name: str, value: Any, remedy: str = "it must be a finite number") -> None:
    """`require` that every number of `value` is finite."""
    require(name, value, np.isfinite, remedy)


def require_positive(name: str, value: Any, remedy: str = "it must be a positive, finite number") -> None:
    """`require` that every number of `value` is finite and > 0."""
    require(name, value, lambda x: np.isfinite(x) & (x > 0), remedy)
