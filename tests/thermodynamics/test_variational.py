"""The minimum: another minimiser, exact derivatives, certificates, and honest statuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import jaxalloy as ja
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.thermodynamics.bound import StructureIntegrals
from jaxalloy.thermodynamics.search import NO_MINIMUM

FREE = "Mg7Zn3"  # has a free minimum with the empty core
CONSTRAINED = "Li0.8Pb0.2"  # has none


def test_free_minimum_against_a_simplex_search(alloys, forces):
    """Nelder-Mead on the public bound: no gradient, no scan, other variables."""
    alloy, interactions = alloys[FREE], forces[FREE]
    volume = float(alloy.volume)

    @jax.jit
    def bound(eta, epsilon, kappa):
        sigma = jnp.cbrt(6 * eta * volume / jnp.pi)
        liquid = ja.HardSphereYukawa(alloy.concentration, eta, sigma, epsilon, kappa, alloy.temperature)
        return ja.free_energy_bound(alloy, interactions, liquid).total

    state = ja.minimise(alloy, interactions, ja.Unconstrained())
    assert state.status == "converged"
    found = minimize(
        lambda x: float(bound(x[0], x[1] * 1e-3, x[2])) * 1e6,
        [0.42, -2.0, 2.5],
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000, "maxfev": 4000},
    )
    assert float(state.eta) == pytest.approx(found.x[0], abs=1e-5)
    assert float(state.epsilon) * 1e3 == pytest.approx(found.x[1], rel=1e-3)
    assert float(state.kappa) == pytest.approx(found.x[2], rel=1e-3)
    assert float(state.free_energy.total) * 1e6 <= found.fun + 1e-6


@pytest.mark.parametrize("formula", [FREE])
def test_a_minimum_is_certified(alloys, forces, formula):
    state = ja.minimise(alloys[formula], forces[formula], ja.Unconstrained())
    assert bool(state.converged)
    assert float(state.gradient_norm) < 1e-12
    assert np.all(np.asarray(state.hessian_eigenvalues) > 0)


@pytest.mark.parametrize("reading", ["ordering", "density"])
def test_contact_constraint_holds_exactly(alloys, forces, reading):
    state = ja.minimise(alloys[CONSTRAINED], forces[CONSTRAINED], ja.ContactConstraint(reading))
    assert bool(state.converged)
    contact = forces[CONSTRAINED].bhatia_thornton(state.sigma).CC
    assert float(state.epsilon) == pytest.approx(-float(contact), rel=1e-12)


def stationarity(alloy, interactions, state, reading):
    """The forces on eta and kappa by differences of the public bound's parts, at fixed epsilon and kappa."""
    integrals = StructureIntegrals.of(interactions)
    thermal = BOLTZMANN_RY_PER_K * alloy.temperature

    def liquid(eta, kappa, epsilon):
        return ja.HardSphereYukawa(alloy.concentration, eta, integrals.sigma(eta), epsilon, kappa, alloy.temperature)

    def parts(eta, kappa, epsilon):
        mixture = liquid(eta, kappa, epsilon)
        packing = integrals.density_energy(eta) - thermal * mixture.hard_sphere_entropy
        order = integrals.ordering_energy(eta, mixture.y, mixture.Z)
        return packing, order, -thermal * mixture.ordering_entropy

    def driving(eta, kappa, epsilon):
        packing, order, entropy = parts(eta, kappa, epsilon)
        if reading == "substituted":
            epsilon = -interactions.bhatia_thornton(integrals.sigma(eta)).CC
            return sum(parts(eta, kappa, epsilon))
        return {"density": packing, "ordering": packing + entropy, "literal": packing + order + entropy}[reading]

    eta, kappa, epsilon = state.eta, state.kappa, state.epsilon
    driving = jax.jit(driving)
    whole = jax.jit(lambda *x: sum(parts(*x)))
    step = 1e-5
    on_eta = (driving(eta + step, kappa, epsilon) - driving(eta - step, kappa, epsilon)) / (2 * step)
    on_kappa = (whole(eta, kappa + step, epsilon) - whole(eta, kappa - step, epsilon)) / (2 * step)
    return float(on_eta), float(on_kappa)


@pytest.mark.parametrize("reading", ["ordering", "density", "substituted", "literal"])
def test_every_reading_is_stationary_by_finite_differences(alloys, forces, reading):
    state = ja.minimise(alloys[FREE], forces[FREE], ja.ContactConstraint(reading))
    assert bool(state.converged)
    on_eta, on_kappa = stationarity(alloys[FREE], forces[FREE], state, reading)
    # a packing fraction off by 1e-6 would show as 1e-6 Ry; differences are good to about 1e-9
    assert abs(on_eta) < 3e-8
    assert abs(on_kappa) < 3e-8


def test_lithium_lead_has_no_free_minimum_and_says_where_it_goes(alloys, forces):
    """PHH Sec. V: the bound falls towards small diameters."""
    state = ja.minimise(alloys[CONSTRAINED], forces[CONSTRAINED], ja.Unconstrained())
    assert not bool(state.converged)
    assert state.status == "no minimum"
    assert state.escape == "eta falls"
    assert np.isnan(float(state.eta))
    with pytest.raises(ja.NoResultError, match=r"no minimum.*eta falls.*contact constraint"):
        state.require_converged()


@pytest.mark.parametrize("reading", ["substituted", "literal"])
def test_readings_without_a_solution_say_so(alloys, forces, reading):
    state = ja.minimise(alloys[CONSTRAINED], forces[CONSTRAINED], ja.ContactConstraint(reading))
    assert state.status == "no stationary point"
    assert int(state.status_code) == NO_MINIMUM


def test_unknown_reading_is_named():
    with pytest.raises(ja.InputError, match="reading 'loose'"):
        ja.ContactConstraint("loose")


def test_entropy_is_the_temperature_derivative_at_the_free_minimum(alloys, forces):
    """PHH Eq. 27, to 1e-6 k_B."""
    alloy, interactions = alloys[FREE], forces[FREE]

    def free_energy(temperature):
        return ja.minimise(alloy.at(temperature=temperature), interactions, ja.Unconstrained()).free_energy.total

    slope = jax.jit(jax.grad(free_energy))(673.0)
    entropy = ja.minimise(alloy, interactions, ja.Unconstrained()).entropy.total
    assert -float(slope) / BOLTZMANN_RY_PER_K == pytest.approx(float(entropy), abs=1e-6)


def quantities(state):
    return jnp.stack([state.eta, 1e2 * state.epsilon, state.kappa])


@pytest.mark.parametrize(("formula", "constraint"), [(FREE, ja.Unconstrained()), (CONSTRAINED, ja.ContactConstraint())])
def test_implicit_derivatives_against_minimising_again(alloys, formula, constraint):
    alloy = alloys[formula]
    second = alloy.symbols[1]

    def solve(point):
        temperature, volume, concentration, radius = point
        changed = alloy.at(temperature=temperature, volume=volume, concentration=concentration)
        forces = ja.interactions(changed, ja.EmptyCore(radii={second: radius}))
        return quantities(ja.minimise(changed, forces, constraint))

    radius = {"Zn": 1.072, "Pb": 1.457}[second]
    point = jnp.stack([alloy.temperature, alloy.volume, alloy.concentration, jnp.asarray(radius)])
    solve = jax.jit(solve)
    forward = jax.jit(jax.jacfwd(solve))(point)
    backward = jax.jit(jax.jacrev(solve))(point)
    np.testing.assert_allclose(forward, backward, rtol=1e-7, atol=1e-12)
    steps = 1e-5 * point
    for column in range(4):
        shift = jnp.zeros(4).at[column].set(steps[column])
        # fourth-order differences of minima that are converged to 1e-10
        outer, inner = solve(point + 2 * shift) - solve(point - 2 * shift), solve(point + shift) - solve(point - shift)
        difference = (8 * inner - outer) / (12 * steps[column])
        np.testing.assert_allclose(forward[:, column], difference, rtol=2e-5, atol=1e-8)


def test_second_derivative_of_the_free_energy(alloys, forces):
    """Heat capacity: -T d2F/dT2 against differences of the entropy."""
    alloy, interactions = alloys[FREE], forces[FREE]

    def solve(temperature):
        return ja.minimise(alloy.at(temperature=temperature), interactions, ja.Unconstrained())

    curvature = jax.jit(jax.grad(jax.grad(lambda t: solve(t).free_energy.total)))(673.0)
    entropy = jax.jit(lambda t: solve(t).entropy.total)
    slope = (entropy(673.5) - entropy(672.5)) * BOLTZMANN_RY_PER_K
    assert -float(curvature) == pytest.approx(float(slope), rel=1e-5)


def test_a_map_is_the_same_as_one_by_one(alloys):
    """Lanes with and without a minimum side by side."""
    fractions = jnp.asarray([0.1, 0.2, 0.35, 0.5])

    def solve(c):
        alloy = alloys[CONSTRAINED].at(concentration=c).at_liquid_volume()
        state = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()), ja.ContactConstraint())
        return state.eta, state.kappa, state.epsilon, state.status_code

    batched = jax.jit(jax.vmap(solve))(fractions)
    single = [jax.jit(solve)(c) for c in fractions]
    for together, alone in zip(batched, zip(*single, strict=True), strict=True):
        np.testing.assert_allclose(together, jnp.stack(alone), rtol=1e-9)


def test_minimum_rule_on_the_wall(alloys, forces):
    """PHH Eq. 28 checked at its own solution on a fine grid."""
    temperature = 1000.0
    sigma = float(ja.density_minimum_rule(forces[CONSTRAINED], temperature))
    R = jnp.linspace(4.0, 8.0, 4001)
    lowest = float(forces[CONSTRAINED].bhatia_thornton(R).NN.min())
    at_sigma = float(forces[CONSTRAINED].bhatia_thornton(jnp.asarray(sigma)).NN)
    assert at_sigma - lowest == pytest.approx(1.5 * BOLTZMANN_RY_PER_K * temperature, abs=2e-8)


def test_minimum_rule_is_undefined_on_a_shoulder():
    """A repulsion without a minimum near contact."""
    alloy = ja.Alloy.parse("Li0.5Pb0.5", temperature=1000.0)
    R = jnp.linspace(3.0, 30.0, 600)
    wall = 0.5 * jnp.exp(-(R - 3.0))
    forces = ja.interactions(alloy, ja.TabulatedPotential(R, wall, wall, wall))
    assert np.isnan(float(ja.density_minimum_rule(forces, 1000.0)))


def test_an_element_mixed_with_itself_has_no_functions_of_mixing():
    alloy = ja.Alloy.pure("Na", 400.0)
    state = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()), ja.HardSpheres())
    functions = ja.mixing(state, ja.EmptyCore())
    np.testing.assert_allclose([functions.enthalpy, functions.entropy, functions.free_energy], np.zeros(3), atol=1e-12)


def test_hard_sphere_minimum_has_no_order(alloys, forces):
    state = ja.minimise(alloys[CONSTRAINED], forces[CONSTRAINED], ja.HardSpheres())
    assert bool(state.converged)
    assert float(state.epsilon) == 0.0
    assert float(state.entropy.ordering) == 0.0
    np.testing.assert_allclose(state.liquid.structure_factor_cc(jnp.asarray([0.1, 2.0])), [0.16, 0.16], rtol=1e-12)
