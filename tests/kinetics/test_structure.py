import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from jaxalloy.constants import BOHR_IN_ANGSTROM, MASS_UNITS_PER_DALTON
from jaxalloy.kinetics import (
    Adaptive,
    FreeRelaxation,
    arrival_times,
    dce_spectrum,
    displacement_bound,
    lattice_energy,
    read_xyz,
    relax,
    relaxation_parameter,
    relaxed_observable,
)
from jaxalloy.kinetics.excitations import force_constants
from jaxalloy.numerics.checks import InputError

ICOSAHEDRON = np.array(
    [[0, 0, 0]]
    + [
        [a, b * (1 + 5**0.5) / 2, 0] @ np.roll(np.eye(3), shift, axis=0)
        for shift in range(3)
        for a in (1, -1)
        for b in (1, -1)
    ],
    dtype=float,
)


def _morse(r):
    return 0.02 * ((1 - jnp.exp(-0.8 * (r - 5.0))) ** 2 - 1)


@pytest.fixture(scope="module")
def cluster():
    rng = np.random.default_rng(1)
    positions = ICOSAHEDRON * 5.0 / np.linalg.norm(ICOSAHEDRON[1])
    masses = MASS_UNITS_PER_DALTON * np.where(np.arange(13) % 2, 63.5, 91.2)
    return positions, masses, rng.normal(size=(13, 3)), rng.uniform(0.1, 0.5, 13)


def test_force_constants_are_minus_the_hessian_of_the_energy(cluster):
    positions = jnp.asarray(cluster[0]) + 0.1 * jnp.sin(jnp.arange(39.0)).reshape(13, 3)

    def energy(x):
        apart = x[:, None] - x[None, :]
        i, j = np.triu_indices(13, 1)
        return jnp.sum(jax.vmap(_morse)(jnp.sqrt(jnp.sum(apart[i, j] ** 2, -1))))

    hessian = jnp.transpose(jax.jit(jax.hessian(energy))(positions), (0, 2, 1, 3))
    off = ~np.eye(13, dtype=bool)
    # W_IJ = d2u/dR_I dR_J is what EM defines: for I != J the mixed derivative of the pair energy.
    np.testing.assert_allclose(force_constants(positions, _morse)[off], hessian[off], atol=1e-14)


def _equations_of_motion(positions, masses, displacements, order, c):
    """E_n from the Bogoliubov problem itself: i d(b, b+)/dt, not the symmetrised square root."""
    spread, n = c * (1 - c), len(masses)
    site = np.diag(1 / (spread**2 * masses * (displacements**2).sum(1) * order))
    phi = np.asarray(force_constants(jnp.asarray(positions), _morse))
    mixing = np.array(
        [
            [
                spread / 4 * np.sqrt(order[i] * order[j]) * displacements[i] @ phi[i, j] @ displacements[j]
                for j in range(n)
            ]
            for i in range(n)
        ]
    )
    block = np.block([[site + mixing, mixing], [-mixing, -(site + mixing)]])
    values = np.linalg.eigvals(block)
    return np.sort(values.real[values.real > 0]), values


def test_spectrum_is_that_of_the_bosonic_problem(cluster):
    positions, masses, displacements, order = cluster
    small = 0.05 * displacements
    out = dce_spectrum(positions, masses, small, order, 0.4, _morse)
    expected, _ = _equations_of_motion(positions, masses, small, order, 0.4)
    assert bool(out.stable)
    np.testing.assert_allclose(out.energies, expected, rtol=1e-9)
    # Larger displacements lower A as 1/R^2 and raise M as R^2: the cluster becomes unstable.
    large = dce_spectrum(positions, masses, 3.0 * displacements, order, 0.4, _morse)
    _, values = _equations_of_motion(positions, masses, 3.0 * displacements, order, 0.4)
    assert not bool(large.stable)
    assert (np.abs(values.imag) > 1e-9).any()
    assert bool(jnp.all(jnp.isfinite(large.energies)))


def test_displacements_may_grow_until_a_mode_softens(cluster):
    positions, masses, displacements, order = cluster
    factor = float(dce_spectrum(positions, masses, displacements, order, 0.4, _morse).stable_up_to)
    for scale, stable in ((0.999, True), (1.001, False)):
        out = dce_spectrum(positions, masses, scale * factor * displacements, order, 0.4, _morse)
        assert bool(out.stable) is stable
    again = dce_spectrum(positions, masses, 0.1 * displacements, order, 0.4, _morse)
    assert float(again.stable_up_to) == pytest.approx(10 * factor, rel=1e-6)  # E^2 of a hundredth cost digits


def test_displacement_bound_is_where_the_mode_softens():
    # Two equal ions: the mode cos(k.R) = -1 softens at A + 2M = 0, which is the bound.
    positions, directions = np.array([[0.0, 0, 0], [6.5, 0, 0]]), np.array([[1.0, 0, 0], [1.0, 0, 0]])
    masses, order, c = np.full(2, 5.0e4), np.full(2, 0.3), 0.4
    for vector in (np.zeros(3), np.array([np.pi / 6.5, 0, 0])):
        bound = displacement_bound(positions, masses, directions, order, c, _morse, vector)
        finite = np.isfinite(bound)
        if not finite.all():
            continue
        r = float(bound[0])
        below, above = (
            dce_spectrum(positions, masses, f * r * directions, order, c, _morse).squared[0] for f in (0.999, 1.001)
        )
        assert float(below) > 0 > float(above)
    bounds = [
        displacement_bound(positions, masses, directions, order, c, _morse, v)[0]
        for v in (np.zeros(3), np.array([np.pi / 6.5, 0, 0]))
    ]
    assert np.isfinite(bounds).sum() == 1  # one sign of the sum binds, the other has no bound


def test_lattice_energy_shows_instability():
    mixing = jnp.array([-0.3, 0.0, 0.4])
    np.testing.assert_allclose(lattice_energy(0.5, mixing), [0.0, 0.5, np.sqrt(0.25 + 0.4)])
    np.testing.assert_allclose(lattice_energy(0.5, mixing, squared=True), 0.25 + mixing)


def test_energy_depends_smoothly_on_the_concentration(cluster):
    positions, masses, displacements, order = cluster

    def lowest(c):
        return dce_spectrum(positions, masses, 0.05 * displacements, order, c, _morse).energies[0]

    h = 1e-4
    difference = (lowest(0.4 + h) - lowest(0.4 - h)) / (2 * h)
    assert float(jax.grad(lowest)(0.4)) == pytest.approx(float(difference), rel=1e-6)


def test_cluster_from_a_file(tmp_path):
    path = tmp_path / "pair.xyz"
    path.write_text("2\ncomment\nCu 0.0 0.0 0.0\nZr 0.0 0.0 2.8 extra\n")
    symbols, positions = read_xyz(path)
    assert symbols == ["Cu", "Zr"]
    assert float(positions[1, 2]) == pytest.approx(2.8 / BOHR_IN_ANGSTROM)
    for text, message in (("x\n", "line 1"), ("3\nc\nCu 0 0 0\n", "3 atoms"), ("1\nc\nCu 0 a 0\n", "line 3")):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_xyz(path)


def test_bad_clusters(cluster):
    positions, masses, displacements, order = cluster
    twice = positions.copy()
    twice[3] = twice[5]
    bad = [
        ((twice, masses, displacements, order, 0.4), "coincide"),
        ((positions, -masses, displacements, order, 0.4), "masses"),
        ((positions, masses, displacements, order, 1.2), "concentration"),
        ((positions, masses, 0 * displacements, order, 0.4), "displacement"),
        ((positions, masses, displacements, 0 * order, 0.4), "order"),
    ]
    for arguments, message in bad:
        with pytest.raises(InputError, match=message):
            dce_spectrum(*arguments, _morse)


def test_relaxation_parameter_sign_and_value():
    q = np.linspace(2.0, 4.0, 2001)
    change = 0.1 * np.sin(9.0 * q)
    found = float(relaxation_parameter(q, change, 2.4, 3.3))
    expected = quad(lambda x: abs(0.1 * np.sin(9.0 * x)) * x, 2.4, 3.3, points=np.pi / 9 * np.arange(7, 10))[0] / 0.9
    assert found == pytest.approx(expected, rel=3e-5)  # linear between points 1e-3 apart: (9e-3)^2/12
    assert found > 0
    assert float(relaxation_parameter(q, -change, 2.4, 3.3)) == found
    assert float(relaxation_parameter(q, 0.0 * q, 2.4, 3.3)) == 0.0
    # Exact for straight lines, also where they change sign between two points and at an edge between points.
    line = np.array([2.0, 4.0])
    one = float(relaxation_parameter(line, np.array([-1.0, 1.0]), 2.5, 3.5))
    assert one == pytest.approx(quad(lambda x: abs(x - 3.0) * x, 2.5, 3.5, points=[3.0])[0], rel=1e-12)
    with pytest.raises(InputError, match="not inside q"):
        relaxation_parameter(q[:500], change[:500])  # the second peak, 2.65 to 3.25 1/bohr, lies beyond 2.5


def test_relaxation_parameter_grows_with_the_order():
    q = np.linspace(2.0, 4.0, 200)
    initial, relaxed = 1 + 0.2 * np.cos(7 * q), 1 + 0.25 * np.cos(7 * q)
    out = relax(FreeRelaxation(1.0, 1.0, 1e-3, 10.0, 1.0), np.linspace(0.0, 12.0, 41), Adaptive(rtol=1e-11))
    at_times = relaxed_observable(out.eta, initial, relaxed)
    assert at_times.shape == (41, 200)
    np.testing.assert_allclose(at_times[0], initial)
    np.testing.assert_allclose(at_times[-1], relaxed)
    r = relaxation_parameter(q, at_times - jnp.asarray(initial)[None, :])
    np.testing.assert_allclose(r, r[-1] * out.eta**2, rtol=1e-10, atol=1e-16)
    assert bool(jnp.all(jnp.diff(r) >= 0))
    assert float(relaxed_observable(0.5, 2.0, 4.0)) == 2.5


def test_arrival_times_have_the_derivatives_of_their_crossings():
    """By central differences, whose own error here is some 1e-7 of the derivative."""

    def arrivals(dephasing):
        return arrival_times(relax(FreeRelaxation(1.0, 25.0, 1e-3, dephasing, 1.0), np.linspace(0.0, 12.0, 121))).times

    step = 1e-4
    expected = (arrivals(10.0 + step) - arrivals(10.0 - step)) / (2 * step)
    assert np.all(np.abs(expected) > 1e-3)
    np.testing.assert_allclose(jax.jacrev(arrivals)(10.0), expected, rtol=1e-5)


def test_arrival_times_know_an_overshoot():
    pulse = relax(FreeRelaxation(1.0, 400.0, 1e-4, 10.0, 1.0), np.linspace(0.0, 12.0, 41))
    found = arrival_times(pulse)
    assert not bool(found.settled)
    calm = arrival_times(relax(FreeRelaxation(1.0, 1.0, 1e-3, 10.0, 1.0), np.linspace(0.0, 12.0, 41)))
    assert bool(calm.settled)
    assert bool(jnp.all(jnp.diff(calm.times) > 0))
