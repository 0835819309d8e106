"""What a sweep can compute, described so that a configuration can be checked and a store be labelled from it."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float

NOT_COMPUTED = -1
NOT_FINITE = "a result is not finite"


class Parameter(NamedTuple):
    """A number that a state is made of; without a default it must be given. holds: whether values can be used."""

    unit: str
    meaning: str
    default: float | None = None
    holds: Callable[[np.ndarray], Any] = np.isfinite
    remedy: str = "it must be a finite number"


class Output(NamedTuple):
    """A number (or a curve over `dimension`) per state. finite: whether a converged state always has it."""

    unit: str
    meaning: str
    dimension: str | None = None
    dtype: str = "f8"
    finite: bool = True


class Option(NamedTuple):
    """What holds for the whole sweep: a word out of `choices`, or of the kind of `default`.

    evenly: the values of an axis are evenly spaced.
    """

    default: Any
    meaning: str
    choices: tuple[str, ...] = ()
    evenly: bool = False


class Lanes(abc.ABC):
    """A quantity with its options: evaluates many states abreast.

    curves: values, unit and meaning of every dimension that outputs have of their own.
    """

    curves: dict[str, tuple[np.ndarray, str, str]]

    @abc.abstractmethod
    def __call__(self, values: dict[str, Float[Array, " n"]]) -> dict[str, Array]:
        """Every output and `status`, with a leading axis of lanes; pure, under `jit`."""

    def cost(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """Predicted cost of every state; only its order matters. All the same unless a quantity knows better."""
        return np.zeros(len(next(iter(values.values()))))


@dataclasses.dataclass(frozen=True)
class Quantity:
    """One thing a sweep can compute.

    statuses: what can become of a state, the first being success. abreast: states under one `vmap` on a CPU, as many
    as stay in its caches, and on a GPU. workspace: bytes that one of them needs meanwhile.
    chunk: states that take some seconds on a CPU, what an interruption may cost, and on a GPU longer than writing
    the chunk before. make: from the checked
    options to a `Lanes`. stored: what is stored by default. either: parameters of which one must be given; optional:
    those that may be left away.
    """

    name: str
    parameters: dict[str, Parameter]
    options: dict[str, Option]
    outputs: dict[str, Output]
    stored: tuple[str, ...]
    statuses: tuple[str, ...]
    abreast: tuple[int, int]
    workspace: int
    chunk: tuple[int, int]
    make: Callable[[dict[str, Any]], Lanes]
    either: tuple[tuple[str, str], ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def all_statuses(self) -> tuple[str, ...]:
        """Those of the quantity, and the one that every quantity can have."""
        return (*self.statuses, NOT_FINITE)


def checked_status(quantity: Quantity, outputs: dict[str, Array]) -> dict[str, Array]:
    """The outputs with the status of states that succeeded without finite numbers set to say so."""
    bad = jnp.zeros(outputs["status"].shape, bool)
    for name, values in outputs.items():
        if name != "status" and quantity.outputs[name].finite:
            bad |= ~jnp.all(jnp.isfinite(values.reshape(values.shape[0], -1)), axis=1)
    status = jnp.where(bad & (outputs["status"] == 0), len(quantity.statuses), outputs["status"])
    return outputs | {"status": status.astype(jnp.int8)}


def peak(q: Float[Array, " q"], curve: Float[Array, " q"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Position and height of the highest maximum of a curve on evenly spaced q, by the parabola through three points.

    At an end of the range the end itself.
    """
    top = jnp.argmax(curve)
    inside = (top > 0) & (top < q.shape[0] - 1)
    middle = jnp.clip(top, 1, q.shape[0] - 2)
    left, centre, right = curve[middle - 1], curve[middle], curve[middle + 1]
    bend = left - 2 * centre + right
    shift = jnp.where(bend < 0, (left - right) / (2 * jnp.where(bend < 0, bend, -1.0)), 0.0)
    height = centre - 0.25 * (left - right) * shift
    position = q[middle] + shift * (q[1] - q[0])
    return jnp.where(inside, position, q[top]), jnp.where(inside, height, curve[top])
