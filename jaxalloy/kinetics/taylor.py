"""Taylor-series integration of Maxwell-Bloch equations, many lanes abreast.

The vector field is bilinear, so the series of b, d_k and sigma_k about any time follow from convolutions, and
each lane picks its own step from its last two terms: no stage is evaluated twice and no step is rejected.
Arrays are (states, lanes): lanes vectorise, which a loop over trajectories or a vmapped Runge-Kutta loop does
not.
"""

import functools
from typing import Any, Literal

import equinox as eqx
import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jax import lax

from jaxalloy._typing import Array, Float
from jaxalloy.kinetics.maxwell_bloch import MaxwellBloch, split_state
from jaxalloy.kinetics.trajectory import Outcome
from jaxalloy.numerics.checks import InputError, is_traced, require_positive

RUNNING, TOO_LONG, TOO_MANY, TOO_SMALL, NOT_FINITE = range(5)
"""How a lane fares; it goes on up to TOO_LONG."""
CHECKPOINTS = 16
"""Per interval between two times, for the adjoint."""


class Taylor(eqx.Module):
    """Integration by Taylor series with a step per lane; for `relax_many`.

    rtol: size of the last term against the state, per step; None takes 1e-10 (1e-6 in single precision), good
    for 1e-8 of max|b|. order: of the series. max_steps: per lane. steps: None picks each step from the
    series; a number takes that many equal steps between two given times, for lanes that one bound on the step
    serves; where it was too long for rtol the result says so. derivative: "reverse" (jax.grad, jax.vjp) or
    "forward" (jax.jvp, jax.jacfwd); with `steps` given both work.
    """

    rtol: float | None = None
    order: int = eqx.field(static=True, default=12)
    steps: int | None = eqx.field(static=True, default=None)
    max_steps: int = eqx.field(static=True, default=20_000)
    derivative: Literal["reverse", "forward"] = eqx.field(static=True, default="reverse")

    def __check_init__(self) -> None:
        if self.rtol is not None:
            require_positive("rtol", self.rtol, "a tolerance must be positive, e.g. rtol=1e-11")
        if self.order < 4:
            raise InputError(f"order = {self.order}: the step control needs at least 4 terms; 12 to 20 are fast")
        for name in ("steps", "max_steps"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)}: at least one step is needed")


class Lanes(eqx.Module):
    """State of many lanes: b as two (1, lanes) arrays or one, d_k as two (k, lanes) arrays or one, sigma_k.

    Where b = -i beta u and d_k = r_k u with one constant phase u per lane (resonance, seeds in phase), beta
    and r_k are real and half of the work is saved: `field` and `polarisation` then hold one array each.
    """

    field: tuple[Array, ...]
    polarisation: tuple[Array, ...]
    inversion: Array


def _convolve(a: list[Array], b: list[Array]) -> Array:
    return sum((a[j] * b[-1 - j] for j in range(1, len(b))), a[0] * b[-1])


def _stored(values: Any, known: Array) -> Any:
    """`values`, kept by the compiler instead of recomputed inside every loop that reads them.

    XLA on a CPU drops optimisation barriers and fuses each order into the loops of all higher ones; a branch on a
    number that it cannot foresee (`known`, finite) it leaves alone. On a GPU a branch waits for the host.
    """
    if jax.default_backend() != "cpu":
        return lax.optimization_barrier(values)
    return lax.cond(jnp.isfinite(known.ravel()[0]), lambda v: v, _not_a_number, values)


def _not_a_number(values: Any) -> Any:
    return jax.tree.map(lambda x: jnp.full_like(x, jnp.nan), values)


def series(model: MaxwellBloch, state: Lanes, order: int) -> list[Lanes]:
    """Taylor coefficients of the state, orders 0 to `order`; `model` has (k, lanes), scalars (1, lanes)."""
    fields, dipoles = [[x] for x in state.field], [[x] for x in state.polarisation]
    inversion = [state.inversion]
    terms = [state]
    for n in range(order):
        c = 1.0 / (n + 1)
        new_field: tuple[Array, ...]
        new_dipole: tuple[Array, ...]
        fed = [jnp.sum(model.emission * d[n], 0, keepdims=True) for d in dipoles]
        gain = [model.coupling * _convolve(inversion, f) for f in fields]
        loss = [model.dephasing * d[n] for d in dipoles]
        source = model.source if n == 0 else 0.0
        if len(fields) == 1:
            consumed = _convolve(dipoles[0], fields[0])
            new_field = (c * (fed[0] - model.damping * fields[0][n]),)
            new_dipole = (c * (gain[0] - loss[0]),)
        else:
            consumed = _convolve(dipoles[1], fields[0]) - _convolve(dipoles[0], fields[1])
            new_field = (
                c * (fed[1] - model.damping * fields[0][n]),
                c * (-fed[0] - model.damping * fields[1][n]),
            )
            new_dipole = (
                c * (model.detuning * dipoles[1][n] - loss[0] - gain[1]),
                c * (-model.detuning * dipoles[0][n] - loss[1] + gain[0]),
            )
        new_inversion = c * (source - model.decay * inversion[n] - 4.0 * model.coupling * consumed)
        term = Lanes(new_field, new_dipole, new_inversion)
        term = _stored(term, model.damping)
        terms_of_each = (*term.field, *term.polarisation, term.inversion)
        for known, new in zip([*fields, *dipoles, inversion], terms_of_each, strict=True):
            known.append(new)
        terms.append(term)
    return terms


def allowed_step(terms: list[Lanes], emitting: Array, rtol: Array) -> Array:
    """The step at which each of the last two terms is rtol of the state, (1, lanes).

    b and the emitting d_k share one scale, so that a seed of 1e-9 keeps its relative accuracy; sigma_k has
    another.
    """

    def largest(term: Lanes) -> tuple[Array, Array]:
        dipole = functools.reduce(jnp.maximum, (jnp.abs(x) for x in term.polarisation))
        dipole = jnp.max(jnp.where(emitting, dipole, 0.0), 0, keepdims=True)
        coherent = functools.reduce(jnp.maximum, (jnp.abs(x) for x in term.field), dipole)
        return coherent, jnp.max(jnp.abs(term.inversion), 0, keepdims=True)

    tiny = float(jnp.finfo(terms[0].inversion.dtype).tiny) * 1e4
    coherent, inversion = largest(terms[0])
    scales = jnp.maximum(coherent, tiny), jnp.maximum(inversion + 2.0 * coherent, tiny)
    step = jnp.full_like(coherent, jnp.inf)
    for n in (len(terms) - 2, len(terms) - 1):
        excess = functools.reduce(jnp.maximum, (x / s for x, s in zip(largest(terms[n]), scales, strict=True)))
        step = jnp.minimum(step, (rtol / jnp.maximum(excess, tiny)) ** (1.0 / n))
    return step


def _at(terms: list[Lanes], h: Array) -> Lanes:
    return jax.tree.map(lambda *c: functools.reduce(lambda total, x: total * h + x, c[::-1]), *terms)


class _March(eqx.Module):
    """Lanes on their way to the next time: what is left, steps taken, how they fare; (1, lanes) each."""

    state: Lanes
    left: Array
    steps: Array
    code: Array


def _advance(march: _March, model: MaxwellBloch, fixed: Array | None, rtol: Array, method: Taylor) -> _March:
    """One step of every lane that has time left and did not fail."""
    terms = series(model, march.state, method.order)
    allowed = lax.stop_gradient(allowed_step(terms, model.emission != 0, rtol))
    wanted = (march.left > 0) & (march.code <= TOO_LONG)
    exhausted = wanted & (march.steps >= method.max_steps)
    active = wanted & ~exhausted
    longest = march.left if fixed is None else jnp.minimum(fixed, march.left)
    h = jnp.where(active, longest if fixed is not None else jnp.minimum(allowed, longest), 0.0)
    new = _stored(_at(terms, h), model.damping)
    finite = jnp.all(jnp.isfinite(functools.reduce(jnp.add, jax.tree.leaves(new))), 0, keepdims=True)
    state = jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, march.state)
    left = jnp.where(h >= march.left, 0.0, march.left - h)
    steps = march.steps + active
    found = [
        (jnp.zeros_like(active) if fixed is None else active & (h > 1.0001 * allowed), TOO_LONG),
        (exhausted, TOO_MANY),
        (active & (left == march.left), TOO_SMALL),
        (active & ~finite, NOT_FINITE),
    ]
    code = functools.reduce(lambda worst, f: jnp.where(f[0], jnp.maximum(worst, f[1]), worst), found, march.code)
    return _March(state, left, steps, code)


def _cross(march: _March, model: MaxwellBloch, span: Array, rtol: Array, method: Taylor) -> _March:
    """All lanes across one interval between two times."""
    march = eqx.tree_at(lambda m: m.left, march, jnp.broadcast_to(span, march.left.shape))
    if method.steps is not None:
        fixed = span / method.steps * (1.0 + 4.0 * float(jnp.finfo(span.dtype).eps))

        def equal_step(march: _March, _: None) -> tuple[_March, None]:
            return _advance(march, model, fixed, rtol, method), None

        return lax.scan(equal_step, march, None, length=method.steps)[0]
    return eqxi.while_loop(
        lambda m: jnp.any((m.left > 0) & (m.code <= TOO_LONG)),
        lambda m: _advance(m, model, None, rtol, method),
        march,
        max_steps=method.max_steps + 1,
        kind="lax" if method.derivative == "forward" else "checkpointed",
        checkpoints=None if method.derivative == "forward" else CHECKPOINTS,
    )


def integrate_lanes(
    model: MaxwellBloch, times: Float[Array, "*lanes t"], method: Taylor, in_phase: bool
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """All lanes of a batch (leading axis on every leaf) from t = 0 over `times`, (t,) or each its own (lanes, t).

    Returns b (lanes, t), d and sigma (lanes, t, k), reached (lanes, t), steps and outcome code (lanes,).
    `in_phase`: resonant lanes whose seeds share one phase, see `Lanes`; the caller has looked.
    """
    columns = jax.tree.map(lambda x: x.T if x.ndim == 2 else x[None, :], model)
    field, polarisation, inversion = split_state(columns.start)
    field = field[None, :]
    phase = common_phase(field, polarisation) if in_phase else jnp.ones_like(field)
    if in_phase:
        turned = (1j * field * jnp.conj(phase)).real, (polarisation * jnp.conj(phase)).real
        state = Lanes((turned[0],), (turned[1],), inversion)
    else:
        state = Lanes((field.real, field.imag), (polarisation.real, polarisation.imag), inversion)
    default = 1e-10 if jnp.finfo(inversion.dtype).bits > 32 else 1e-6
    rtol = jnp.asarray(default if method.rtol is None else method.rtol, inversion.dtype)
    none = jnp.zeros(field.shape, int)
    march = _March(state, jnp.zeros(field.shape, inversion.dtype), none, none)

    def interval(march: _March, span: Array) -> tuple[_March, tuple]:
        march = _cross(march, columns, span, rtol, method)
        return march, (march.state, (march.left <= 0) & (march.code <= TOO_LONG))

    spans = jnp.diff(times.T, axis=0, prepend=jnp.zeros_like(times.T[:1]))
    march, (states, reached) = lax.scan(interval, march, spans)
    if in_phase:
        field, polarisation = -1j * states.field[0] * phase[None], states.polarisation[0] * phase[None]
    else:
        field = states.field[0] + 1j * states.field[1]
        polarisation = states.polarisation[0] + 1j * states.polarisation[1]

    def by_lane(x: Array) -> Array:
        return jnp.transpose(x, (2, 0, 1))

    lanes_first = by_lane(field)[..., 0], by_lane(polarisation), by_lane(states.inversion)
    return *lanes_first, by_lane(reached)[..., 0], march.steps[0], march.code[0]


def common_phase(field: Array, polarisation: Array) -> Array:
    """u with d_k = r_k u and b = -i beta u for real r_k, beta, from the largest seed; (1, lanes)."""
    largest = jnp.take_along_axis(polarisation, jnp.argmax(jnp.abs(polarisation), 0)[None, :], 0)
    seed = jnp.where(jnp.abs(largest) > 0, largest, 1j * field)
    return jnp.where(jnp.abs(seed) > 0, seed / jnp.where(jnp.abs(seed) > 0, jnp.abs(seed), 1.0), 1.0)


def seeds_in_phase(model: MaxwellBloch) -> bool:
    """Whether every lane is resonant with all seeds in phase, so that half of the equations suffice."""
    if is_traced(model):
        return False
    field, polarisation, _ = split_state(model.start.T)
    field = field[None, :]
    phase = jnp.conj(common_phase(field, polarisation))
    aside = jnp.abs((polarisation * phase).imag) <= 1e-15 * jnp.abs(polarisation)
    behind = jnp.abs((field * phase).real) <= 1e-15 * jnp.abs(field)
    return bool(jnp.all(model.detuning == 0) & jnp.all(aside) & jnp.all(behind))


def outcome_of_code(code: Array) -> Any:
    """The `Outcome` behind a lane's code."""
    kinds: Any = Outcome
    outcome = kinds.where(code == NOT_FINITE, kinds.not_finite, kinds.successful)
    outcome = kinds.where(code == TOO_SMALL, kinds.step_too_small, outcome)
    outcome = kinds.where(code == TOO_MANY, kinds.max_steps_reached, outcome)
    return kinds.where(code == TOO_LONG, kinds.step_too_long, outcome)
