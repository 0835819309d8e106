"""Integrate many kinetic systems: predict the cost, sort, cut into chunks, map over lanes and devices."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, PartitionSpec

from jaxalloy._typing import Array, ArrayLike, Float, Real
from jaxalloy.kinetics.bosonic import BosonicRelaxation, bosonic_model
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
from jaxalloy.kinetics.relax import (
    PROBES,
    Adaptive,
    as_bosonic_relaxation,
    as_relaxation,
    choose_solver,
    integrate,
    worth_collapsing,
)
from jaxalloy.kinetics.taylor import Taylor, integrate_lanes, outcome_of_code, seeds_in_phase
from jaxalloy.kinetics.trajectory import Relaxation, check_times
from jaxalloy.numerics.checks import InputError, is_traced

FEWEST_LANES = 8
"""Of one state each; fewer do not vectorise and compile ten times longer."""
ABREAST = 256
"""States times lanes that a CPU integrates by Taylor series at once: enough to vectorise; more would end apart."""

System = FreeRelaxation | DrivenRelaxation | BosonicRelaxation


def stack(systems: Sequence[System]) -> System:
    """One batched system out of many: every leaf gains a leading axis of lanes. All must have the same K."""
    shapes = {tuple(jnp.shape(leaf) for leaf in jax.tree.leaves(system)) for system in systems}
    if not systems or len(shapes) > 1 or len({type(system) for system in systems}) > 1:
        raise InputError("systems: give at least one, all of one kind, with arguments of the same shapes")
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *systems)


def require_batch(system: Any) -> None:
    """Raise `InputError` unless this is a system that is integrated, with one axis of lanes on every leaf."""
    if isinstance(system, ExponentialRelaxation):
        raise InputError("ExponentialRelaxation is not integrated: take jax.vmap(lambda s: relax(s, times))(systems)")
    lanes = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(system)}
    if len(lanes) != 1 or lanes == {()}:
        found = ", ".join(str(size[0]) if size else "none" for size in sorted(lanes))
        remedy = "give a sequence of systems, or one made by jax.vmap; relax integrates a single one"
        raise InputError(f"systems: every argument needs one leading axis of lanes (lanes found: {found}); {remedy}")


def progress_bar(done: int, lanes: int) -> None:
    """A bar on standard error that rewrites its line."""
    filled = 30 * done // lanes
    end = "\n" if done >= lanes else ""
    print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{lanes}", end=end, file=sys.stderr, flush=True)


def predicted_cost(model: MaxwellBloch, last_time: Array) -> Float[Array, "lanes"]:
    """Steps that a lane is expected to need, up to a factor; only their order matters.

    Dephasing, detuning and damping act all the time; the coherent rate Delta sqrt(sum |sigma| + |pump|) fades
    within a few t_sigma unless a pump keeps it up.
    """
    _, _, inversion = split_state(jnp.moveaxis(model.start, -1, 0))
    steady = jnp.max(model.dephasing + jnp.abs(model.detuning), -1) + model.damping
    decay = jnp.maximum(jnp.min(model.decay, -1), 1e-300)
    lasting = -jnp.expm1(-0.5 * decay * last_time) / (0.5 * decay)
    weight = jnp.max(jnp.abs(model.emission * model.coupling), -1)
    free = jnp.sqrt(weight * jnp.sum(jnp.abs(inversion), 0))
    pumped = jnp.sqrt(weight * jnp.sum(jnp.abs(model.source), -1) / decay)
    pumped = jnp.where(jnp.sum(jnp.abs(model.source), -1) > 0, pumped, 0.0)
    return 0.25 * steady * last_time + free * lasting + pumped * last_time


class _Plan(eqx.Module):
    """How a batch is cut and mapped; all of it static."""

    method: Adaptive | Taylor
    collapsed: bool = eqx.field(static=True)
    in_phase: bool = eqx.field(static=True)
    abreast: int = eqx.field(static=True)
    chunk: int = eqx.field(static=True)
    devices: int = eqx.field(static=True)


def _chunk_size(states: int, lanes: int, method: Adaptive | Taylor, chunk: int | None, devices: int) -> int:
    """Lanes per chunk: enough to vectorise, few enough that sorted lanes cost about the same (measured)."""
    if chunk is not None and chunk < 1:
        raise InputError(f"chunk = {chunk}: at least one lane per chunk is needed")
    if jax.default_backend() == "cpu":
        usual = 1024 if states == 1 and isinstance(method, Taylor) else 64
    else:
        usual = max(1024, 131_072 // states)
    per_device = min(usual if chunk is None else chunk, -(-lanes // devices))
    return max(per_device, FEWEST_LANES if states == 1 and chunk is None else 1) * devices


def _plan(system: System, model: Any, method: Adaptive | Taylor | None, times: Array, chunk: int | None) -> _Plan:
    lanes, states = model.coupling.shape
    bosonic = isinstance(system, BosonicRelaxation)
    if method is None:
        method = Adaptive() if bosonic else Taylor()
    if bosonic and isinstance(method, Taylor):
        raise InputError("BosonicRelaxation has no Taylor path; give method=Adaptive()")
    collapsed = not bosonic and worth_collapsing(states, common_rates(system, lanes=1))
    if isinstance(method, Adaptive):
        largest = jnp.maximum(jnp.max(model.dephasing), jnp.max(model.decay))
        method = choose_solver(method, largest, times[-1])
    traced = is_traced((model, times))
    devices = 1 if traced else jax.local_device_count()
    in_phase = isinstance(method, Taylor) and not collapsed and seeds_in_phase(model)
    size = _chunk_size(states, lanes, method, chunk, devices)
    abreast = _abreast(PROBES if collapsed else states, size // devices, method)
    return _Plan(method, collapsed, in_phase, abreast, size, devices)


def _abreast(states: int, chunk: int, method: Adaptive | Taylor) -> int:
    """Lanes of a chunk that go together, a divisor of its size: on a CPU those of one lane fill a loop already."""
    if jax.default_backend() != "cpu" or (states == 1 and isinstance(method, Taylor)):
        return chunk
    most = 1 if isinstance(method, Adaptive) else max(1, ABREAST // states)
    return max(width for width in range(1, most + 1) if chunk % width == 0)


def _lanes_abreast(model: Any, times: Array, plan: _Plan) -> tuple:
    """Trajectories of all lanes of `model` at once: (b, d, sigma, reached, steps, result, b_-q or None)."""
    if isinstance(plan.method, Taylor):
        source = jax.vmap(collapse)(model) if plan.collapsed else model
        field, dipole, inversion, reached, steps, code = integrate_lanes(source, times, plan.method, plan.in_phase)
        if plan.collapsed:
            dipole, inversion = jax.vmap(expand)(model, dipole), jax.vmap(expand)(model, inversion)
        return field, dipole, inversion, reached, steps, jax.vmap(outcome_of_code)(code), None
    return jax.vmap(_one_lane(times, plan.method, plan.collapsed))(model)


def _one_lane(times: Array, method: Adaptive, collapsed: bool) -> Callable[[Any], tuple]:
    """The trajectory of one lane by an adaptive solver, in the order of `_lanes_abreast`."""

    def run(model: Any) -> tuple:
        if isinstance(model, MaxwellBloch):
            path = integrate(collapse(model) if collapsed else model, times, method)
            one = as_relaxation(path, model, times, collapsed, "")
        else:
            one = as_bosonic_relaxation(integrate(model, times, method), model, times, "")
        state = one.field_mantissa, one.scaled_polarisation, one.inversion
        return *state, one.reached, one.steps, one.result, one.partner

    return run


def _run_chunk(model: Any, times: Array, plan: _Plan) -> tuple:
    lanes = model.coupling.shape[0]
    if plan.abreast == lanes:
        return _lanes_abreast(model, times, plan)
    if isinstance(plan.method, Adaptive):
        return lax.map(_one_lane(times, plan.method, plan.collapsed), model)
    groups = jax.tree.map(lambda x: x.reshape(-1, plan.abreast, *x.shape[1:]), model)
    out = lax.map(lambda group: _lanes_abreast(group, times, plan), groups)
    return jax.tree.map(lambda x: x.reshape(lanes, *x.shape[2:]), out)


@eqx.filter_jit
def _run_chunk_on_devices(model: Any, times: Array, plan: _Plan) -> tuple:
    """One chunk, its lanes shared out; shard_map, because a sharded loop would synchronise in every step."""
    if plan.devices == 1:
        return _run_chunk(model, times, plan)
    mesh = jax.make_mesh((plan.devices,), ("lanes",), axis_types=(AxisType.Auto,))
    specs = PartitionSpec("lanes"), PartitionSpec()
    shared = jax.shard_map(
        lambda m, t: _run_chunk(m, t, plan), mesh=mesh, in_specs=specs, out_specs=specs[0], check_vma=False
    )
    return shared(model, times)


def _take(tree: Any, index: Array | np.ndarray) -> Any:
    return jax.tree.map(lambda x: x[index], tree)


def _on_host(model: Any, times: Array, plan: _Plan, order: np.ndarray, added: int, progress: Callable | None) -> tuple:
    """Chunk after chunk, dearest first; on a CPU several at a time, for one lane occupies one core."""
    chunks = order.reshape(-1, plan.chunk)[::-1]
    workers = 1
    if jax.default_backend() == "cpu" and plan.devices == 1:
        workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, len(chunks))

    def run(index: np.ndarray) -> tuple:
        return jax.block_until_ready(_run_chunk_on_devices(_take(model, index), times, plan))

    done = []
    first = run(chunks[0])
    with ThreadPoolExecutor(workers) as pool:
        for part in [first], pool.map(run, chunks[1:]):
            for result in part:
                done.append(result)
                if progress is not None:
                    progress(min(len(done) * plan.chunk, order.size - added), order.size - added)
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *done[::-1])


def _in_graph(model: Any, times: Array, plan: _Plan, order: Array) -> tuple:
    """The same under a transformation: no host loop."""
    chunks = jax.tree.map(lambda x: x.reshape(-1, plan.chunk, *x.shape[1:]), _take(model, order))
    out = lax.map(lambda chunk: _run_chunk(chunk, times, plan), chunks)
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out)


def relax_many(
    systems: System | Sequence[System],
    times: Real[ArrayLike, "t"],
    method: Adaptive | Taylor | None = None,
    *,
    chunk: int | None = None,
    progress: bool | Callable[[int, int], None] = False,
) -> Relaxation:
    """Integrate many kinetic systems over the same times; every array returned has a leading axis of lanes.

    systems: a sequence of systems of one kind and K, or one whose leaves all have a leading axis of lanes, as
    `jax.vmap(lambda x: FreeRelaxation(x, ...))(values)` makes it. times: (t,). method: `Taylor` (default;
    fastest), `Adaptive` (diffrax, lane by lane on a CPU; default for `BosonicRelaxation`). chunk: lanes per
    chunk, None chooses. progress: True draws a bar on standard error, a function is called with (lanes done,
    lanes); neither under jit. A loop over lanes abreast lasts as long as its dearest lane, so lanes are sorted
    by predicted cost and cut into chunks; each carries its own `steps` and `result`. The answer does not
    depend on the chunks beyond rounding. Raises `InputError` for a single system, a lane without a seed,
    values out of range, and times that do not increase.
    """
    system = systems if isinstance(systems, eqx.Module) else stack(list(systems))
    require_batch(system)
    system.check()
    require_seed(system)
    model = _normal_forms(system)
    times = as_real(times).astype(model.start.dtype)
    check_times(times)
    plan = _plan(system, model, method, times, chunk)
    lanes = model.coupling.shape[0]
    filled = -(-lanes // plan.chunk) * plan.chunk
    cost = predicted_cost(model, times[-1]) if isinstance(model, MaxwellBloch) else jnp.zeros(lanes)
    order = jnp.argsort(lax.stop_gradient(cost))
    padded = jnp.concatenate([jnp.broadcast_to(order[:1], (filled - lanes,)), order])
    if is_traced((model, times)):
        sorted_out = _in_graph(model, times, plan, padded)
    else:
        say = progress if callable(progress) else progress_bar if progress else None
        sorted_out = _on_host(model, times, plan, np.asarray(padded), filled - lanes, say)
    back = jnp.argsort(order) + (filled - lanes)
    field, dipole, inversion, reached, steps, result, partner = _take(sorted_out, back)
    with_partner = () if partner is None else (partner,)
    return Relaxation(
        times=times,
        field_mantissa=field,
        mantissa_rate=model.field_rate(field, *with_partner, dipole),
        log_scale=None,
        scaled_polarisation=dipole,
        inversion=inversion,
        reached=reached,
        steps=steps,
        result=result,
        model=model,
        solver=f"Taylor {plan.method.order}" if isinstance(plan.method, Taylor) else plan.method.solver,
        partner=partner,
    )


@eqx.filter_jit
def _normal_forms(system: System) -> Any:
    to_model: Callable = bosonic_model if isinstance(system, BosonicRelaxation) else normal_form
    return jax.vmap(to_model)(system)
