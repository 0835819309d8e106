"""Sweeps over the kinetics: one relaxation (EM Eq. 9) or one driven stationary state (EM Eqs. 15-17) per state."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float
from jaxalloy.kinetics import (
    DrivenRelaxation,
    FreeRelaxation,
    Taylor,
    arrival_times,
    critical_gain,
    relax_many,
    stability,
    stationary,
    threshold,
)
from jaxalloy.kinetics.equations import normal_form
from jaxalloy.kinetics.relax_many import predicted_cost
from jaxalloy.sweep.axes import Axis
from jaxalloy.sweep.quantity import Lanes, Option, Output, Parameter, Quantity, checked_status

LEVELS = (0.1, 0.5, 0.9)
LARGEST_RESIDUAL = 1e-8


def _positive(unit: str, meaning: str, default: float | None = None) -> Parameter:
    return Parameter(unit, meaning, default, lambda x: np.isfinite(x) & (x > 0), "it must be positive")


class RelaxLanes(Lanes):
    """`Lanes` of free relaxations."""

    def __init__(self, options: dict[str, Any]):
        self.times = options["times"].values()
        self.method = Taylor(rtol=options["rtol"])
        self.curves = {"time": (self.times, "1/rate", "time")}

    def systems(self, values: dict[str, Any]) -> FreeRelaxation:
        """One system of many lanes."""

        def one(lane: dict[str, Array]) -> FreeRelaxation:
            given = dict(lane)
            if "x" in given:
                given["inversion"] = (given.pop("x") / (given["coupling"] * given["population_time"])) ** 2
            return FreeRelaxation(**given)

        return jax.vmap(one)({name: jnp.asarray(array) for name, array in values.items()})

    def __call__(self, values: dict[str, Float[Array, " n"]]) -> dict[str, Array]:
        """See `Lanes`."""
        systems = self.systems(values)
        lanes = systems.coupling.shape[0]
        found = relax_many(systems, self.times, self.method, chunk=lanes)
        arrival = arrival_times(found, LEVELS)
        steepest = jnp.argmax(found.rate, axis=-1)
        gain = systems.coupling**2 * systems.inversion * systems.population_time**2
        outputs = {
            **{
                f"t{round(100 * level)}": jnp.where(arrival.settled & arrival.found[:, i], arrival.times[:, i], jnp.nan)
                for i, level in enumerate(LEVELS)
            },
            "t_steepest": jnp.asarray(self.times)[steepest],
            "eta_largest": jnp.max(found.eta, axis=-1),
            "field_end": jnp.abs(found.field[:, -1]),
            "quanta_end": found.quanta[:, -1],
            "gain_ratio": gain / jax.vmap(critical_gain)(systems.dephasing * systems.population_time),
            "steps": found.steps,
            "eta": found.eta,
            "quanta": found.quanta,
        }
        status = jnp.where(found.converged, jnp.where(arrival.settled, 0, 2), 1)
        return checked_status(RELAX, outputs | {"status": status})

    def cost(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """Steps that each lane is expected to need."""
        model = jax.vmap(normal_form)(self.systems(values))
        return np.asarray(predicted_cost(model, jnp.asarray(self.times[-1])))


COUPLING = Parameter("rate", "Delta, between the field and an electron state", 1.0)
DEPHASING = _positive("rate", "Gamma, decay rate of the polarisation")
POPULATION_TIME = _positive("1/rate", "t_sigma, life of the inversion", 1.0)
DETUNING = Parameter("rate", "off resonance", 0.0)

RELAX = Quantity(
    name="relax",
    parameters={
        "coupling": COUPLING,
        "inversion": Parameter("1", "sigma_0, the initial inversion"),
        "x": _positive("1", "Delta sqrt(sigma_0) t_sigma, in place of the inversion"),
        "polarisation": _positive("1", "d_0, the seed", 1e-4),
        "dephasing": DEPHASING,
        "population_time": POPULATION_TIME,
        "detuning": DETUNING,
    },
    options={
        "times": Option(Axis("times", "linear", (0.0, 12.0), 241), "when the relaxation is looked at, from 0 on"),
        "rtol": Option(1e-9, "relative tolerance of the integration"),
    },
    outputs={
        **{
            f"t{round(100 * level)}": Output("1/rate", f"time at which eta first reaches {level:g}") for level in LEVELS
        },
        "t_steepest": Output("1/rate", "time, of those looked at, at which eta rises fastest; 0 where concave"),
        "eta_largest": Output("1", "largest eta; more than 1 where it overshoots"),
        "field_end": Output("1", "|b| at the last time"),
        "quanta_end": Output("1", "|b|^2 at the last time"),
        # no part of the status, so that its root, dearer than the relaxation, is found only where it is stored
        "gain_ratio": Output("1", "x0/x0c: S-shaped above 1 by EM Eq. 12", finite=False),
        "steps": Output("1", "steps of the integration", dtype="i4"),
        "eta": Output("1", "order parameter |b(t)|/|b(end)|", "time"),
        "quanta": Output("1", "|b(t)|^2", "time"),
    },
    stored=("t10", "t50", "t90", "t_steepest", "eta_largest", "quanta_end", "steps"),
    statuses=("converged", "integration stopped", "not settled"),
    abreast=(64, 65_536),
    workspace=30_000,
    chunk=(16_384, 1_048_576),
    make=RelaxLanes,
    either=(("inversion", "x"),),
)


class StationaryLanes(Lanes):
    """`Lanes` of driven stationary states."""

    def __init__(self, options: dict[str, Any]):
        self.curves = {}

    def __call__(self, values: dict[str, Float[Array, " n"]]) -> dict[str, Array]:
        """See `Lanes`."""
        return checked_status(STATIONARY, jax.vmap(_stationary)(values))


def _stationary(values: dict[str, Array]) -> dict[str, Array]:
    system = DrivenRelaxation(inversion=values["pump"], polarisation=jnp.zeros(()), **values)
    limit, state, linear = threshold(system), stationary(system), stability(system)
    status = jnp.where(limit.exists, jnp.where(state.residual <= LARGEST_RESIDUAL, 0, 2), 1)
    return {
        "threshold": jnp.where(limit.exists, limit.inversion, jnp.nan),
        "ratio": limit.ratio,
        "quanta": state.quanta,
        "frequency": state.frequency,
        "growth_rate": linear.growth_rate,
        "slowest_time": jnp.where(linear.stable, linear.slowest_time, jnp.inf),
        "boundary": jnp.where(system.detuning == 0, linear.boundary, jnp.inf),
        "stable": linear.stable.astype(jnp.int8),
        "residual": state.residual,
        "status": status,
    }


STATIONARY = Quantity(
    name="stationary",
    parameters={
        "coupling": COUPLING,
        "pump": Parameter("1", "sigma^p, the inversion that the pump sustains"),
        "dephasing": DEPHASING,
        "population_time": POPULATION_TIME,
        "field_damping": _positive("rate", "kappa, of the excitations"),
        "commutator": Parameter("1", "alpha = [b, b+]", 1.0, lambda x: np.isfinite(x) & (x != 0), "it must not be 0"),
        "detuning": DETUNING,
    },
    options={},
    outputs={
        "threshold": Output("1", "inversion at the threshold, EM Eq. 16"),
        "ratio": Output("1", "pump over threshold"),
        "quanta": Output("1", "excitations in the condensate, EM Eq. 17"),
        "frequency": Output("rate", "of the condensate against its own"),
        "growth_rate": Output("rate", "largest real part about the stationary state"),
        "slowest_time": Output("1/rate", "time of the slowest return; infinite where unstable", finite=False),
        "boundary": Output("1", "pump over threshold at which it becomes unstable, at resonance", finite=False),
        "stable": Output("1", "1 where the stationary state is stable", dtype="i1"),
        "residual": Output("1", "what is left of the stationary equations"),
    },
    stored=("threshold", "ratio", "quanta", "frequency", "growth_rate", "stable"),
    statuses=("converged", "no threshold for this pump", "not converged"),
    abreast=(8, 4096),
    workspace=1_000_000,
    chunk=(4096, 65_536),
    make=StationaryLanes,
)
