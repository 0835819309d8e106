"""Integrate one kinetic system over given times with diffrax."""

from typing import Any, Literal

import diffrax
import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, ArrayLike, Float, Int, Real
from jaxalloy.kinetics.bosonic import BosonicModel, BosonicRelaxation, bosonic_model
from jaxalloy.kinetics.closed_forms import exponential_relaxation, require_limit
from jaxalloy.kinetics.equations import (
    DrivenRelaxation,
    ExponentialRelaxation,
    FreeRelaxation,
    as_real,
    common_rates,
    normal_form,
    require_seed,
)
from jaxalloy.kinetics.maxwell_bloch import MaxwellBloch, collapse, expand, split_state
from jaxalloy.kinetics.trajectory import Relaxation, check_times, outcome_of
from jaxalloy.numerics.checks import InputError, is_traced, require_positive

STIFF = 1e5
"""Kvaerno5 where the largest rate times the last time exceeds this; below, Dopri8 is faster (measured)."""


PROBES = 5
"""States that a collapsed system integrates: the sums and four probes."""


class Adaptive(eqx.Module):
    """Adaptive integration with an embedded Runge-Kutta pair.

    rtol: relative tolerance per step; None takes 1e-11 (1e-6 in single precision), good for 1e-8 of max|b|;
    1e-12 gives 1e-9. atol: None ties it to the seed, 0.01 rtol |d0|, since an error of the seed becomes an
    error of the delay. solver: "auto" takes Dopri8, or Kvaerno5 where Gamma T > 1e5. max_steps: beyond it the
    result says so. derivative: "reverse" (adjoint through checkpoints: jax.grad, jax.vjp) or "forward"
    (jax.jvp, jax.jacfwd).
    """

    rtol: float | None = None
    atol: float | None = None
    solver: Literal["auto", "dopri8", "kvaerno5"] = eqx.field(static=True, default="auto")
    max_steps: int = eqx.field(static=True, default=200_000)
    derivative: Literal["reverse", "forward"] = eqx.field(static=True, default="reverse")

    def __check_init__(self) -> None:
        for name in ("rtol", "atol"):
            if getattr(self, name) is not None:
                require_positive(name, getattr(self, name), "a tolerance must be positive, e.g. rtol=1e-11")
        if self.max_steps < 1:
            raise InputError(f"max_steps = {self.max_steps}: at least one step is needed")


class Path(eqx.Module):
    """A state vector at the requested times, as far as the integration came."""

    state: Float[Array, "t n"]
    steps: Int[Array, ""]
    result: Any

    def held(self) -> tuple[Array, Array]:
        """The states, the last finite one repeated where a time was not reached, and which were reached."""
        reached = jnp.cumprod(jnp.all(jnp.isfinite(self.state), 1).astype(int)).astype(bool)
        last = jnp.maximum(jnp.sum(reached) - 1, 0)
        index = jnp.minimum(jnp.arange(reached.shape[0]), last)
        return jnp.where(jnp.any(reached), self.state[index], 0.0), reached


@eqx.filter_jit
def integrate(model: Any, times: Float[Array, "t"], method: Adaptive) -> Path:
    """Integrate dy/dt = model.rate(y) from model.start at t = 0; model.seed() is the scale of atol.

    `model` is any PyTree with these three; the solver must be chosen ("auto" means Dopri8 here).
    """
    dtype = model.start.dtype
    rtol = jnp.asarray(default_tolerance(dtype) if method.rtol is None else method.rtol, dtype)
    smallest = float(jnp.finfo(dtype).tiny) * 1e4
    tied = jnp.maximum(0.01 * rtol * model.seed(), smallest)
    atol = tied if method.atol is None else jnp.asarray(method.atol, dtype)
    implicit = method.solver == "kvaerno5"
    adjoint = diffrax.ForwardMode() if method.derivative == "forward" else diffrax.RecursiveCheckpointAdjoint()
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, model: model.rate(y)),
        diffrax.Kvaerno5() if implicit else diffrax.Dopri8(),
        t0=jnp.zeros((), times.dtype),
        t1=times[-1],
        dt0=None,
        y0=model.start,
        args=model,
        saveat=diffrax.SaveAt(ts=times),
        stepsize_controller=diffrax.ClipStepSizeController(diffrax.PIDController(rtol=rtol, atol=atol), step_ts=times),
        adjoint=adjoint,
        max_steps=method.max_steps,
        throw=False,
    )
    return Path(solution.ys, solution.stats["num_steps"], outcome_of(solution.result))


def default_tolerance(dtype: Any) -> float:
    """rtol where none is given."""
    return 1e-11 if jnp.finfo(dtype).bits > 32 else 1e-6


def choose_solver(method: Adaptive, largest_rate: Array, last_time: Array) -> Adaptive:
    """`method` with its tolerance, and "auto" replaced by what the stiffness asks for (Dopri8 where not known)."""
    rtol = default_tolerance(last_time.dtype) if method.rtol is None else method.rtol
    solver = method.solver
    if solver == "auto":
        stiff = not is_traced((largest_rate, last_time)) and bool(np.any(largest_rate * last_time > STIFF))
        solver = "kvaerno5" if stiff else "dopri8"
    return Adaptive(rtol, method.atol, solver, method.max_steps, method.derivative)


def as_relaxation(path: Path, model: MaxwellBloch, times: Array, collapsed: bool, solver: str) -> Relaxation:
    """The trajectory of one lane from the (collapsed) state vectors along it."""
    state, reached = path.held()
    field, polarisation, inversion = split_state(state.T)
    polarisation, inversion = polarisation.T, inversion.T
    if collapsed:
        polarisation, inversion = expand(model, polarisation), expand(model, inversion)
    return Relaxation(
        times=times,
        field_mantissa=field,
        mantissa_rate=model.field_rate(field, polarisation),
        log_scale=None,
        scaled_polarisation=polarisation,
        inversion=inversion,
        reached=reached,
        steps=path.steps,
        result=path.result,
        model=model,
        solver=solver,
    )


def as_bosonic_relaxation(path: Path, model: BosonicModel, times: Array, solver: str) -> Relaxation:
    """The trajectory of one lane of the bosonic system."""
    state, reached = path.held()
    field, partner, polarisation, inversion = model.split(state)
    return Relaxation(
        times=times,
        field_mantissa=field,
        mantissa_rate=model.field_rate(field, partner, polarisation),
        log_scale=None,
        scaled_polarisation=polarisation,
        inversion=inversion,
        reached=reached,
        steps=path.steps,
        result=path.result,
        model=model,
        solver=solver,
        partner=partner,
    )


def worth_collapsing(states: int, common: bool) -> bool:
    """Whether the sums with their four probes are fewer than the states."""
    return common and states > PROBES


def relax(
    system: FreeRelaxation | DrivenRelaxation | BosonicRelaxation | ExponentialRelaxation,
    times: Real[ArrayLike, "t"],
    method: Adaptive | None = None,
) -> Relaxation:
    """Integrate one kinetic system from t = 0 and give it at `times`.

    system: `FreeRelaxation` (EM 9), `DrivenRelaxation` (EM 15), `BosonicRelaxation` (EM 8);
    `ExponentialRelaxation` (EM 10-13) takes its closed form. times: (t,), increasing, not before 0. method:
    `Adaptive`. With rates common to more than five states the sums are integrated and the states rebuilt,
    which is exact. An integration that does not reach the end says so in `result`; nothing is raised for it.
    Raises `InputError` for a system without a seed, and for times that do not increase.

    >>> import jax.numpy as jnp
    >>> import jaxalloy as ja
    >>> system = ja.FreeRelaxation(1.0, inversion=400.0, polarisation=1e-4, dephasing=10.0, population_time=1.0)
    >>> motion = ja.relax(system, jnp.linspace(0.0, 6.0, 4))
    >>> bool(motion.converged), float(motion.eta[0]), round(float(motion.eta[-1]), 6)
    (True, 0.0, 1.0)
    """
    method = Adaptive() if method is None else method
    system.check()
    if isinstance(system, ExponentialRelaxation):
        times = as_real(times)
        check_times(times)
        require_limit(system)
        return _relax_exponentially(system, times)
    require_seed(system)
    model = bosonic_model(system) if isinstance(system, BosonicRelaxation) else normal_form(system)
    times = as_real(times).astype(model.start.dtype)
    check_times(times)
    largest = jnp.max(jnp.concatenate([model.dephasing, model.decay, model.damping[None]]))
    method = choose_solver(method, largest, times[-1])
    if isinstance(model, BosonicModel):
        return _relax_bosonic(model, times, method)
    collapsed = worth_collapsing(model.coupling.shape[0], common_rates(system))
    return _relax_states(model, times, method, collapsed)


@eqx.filter_jit
def _relax_exponentially(system: ExponentialRelaxation, times: Array) -> Relaxation:
    return exponential_relaxation(system, times)


@eqx.filter_jit
def _relax_bosonic(model: BosonicModel, times: Array, method: Adaptive) -> Relaxation:
    return as_bosonic_relaxation(integrate(model, times, method), model, times, method.solver)


@eqx.filter_jit
def _relax_states(model: MaxwellBloch, times: Array, method: Adaptive, collapsed: bool) -> Relaxation:
    path = integrate(collapse(model) if collapsed else model, times, method)
    return as_relaxation(path, model, times, collapsed, method.solver)
