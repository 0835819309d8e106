"""Linear response of the electron gas to two frozen ions and their orthogonalisation holes; second order from it.

u_i = a_i(q) + s_i(k, mu, q): a_i = v_i(q) + v_OH,i(q) depends on q alone and is singular as 1/q^2; s_i, the repulsion
of the orthogonalisation terms, is regular.
"""

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Float, Scalar, ScalarLike
from jaxalloy.electrons.core_levels import core_exchange, ionic_levels
from jaxalloy.electrons.form_factors import (
    diagonal,
    fourier_kernels,
    regular_ion_potential,
    regular_ion_potential_at_zero,
)
from jaxalloy.electrons.orthogonalisation import (
    FermiSphere,
    IonInGas,
    amplitudes,
    both,
    hole_charge,
    hole_density,
    lost_norm,
    spherical_bessel,
)
from jaxalloy.electrons.screening import LocalField, lindhard, response, screened_coulomb
from jaxalloy.electrons.second_order import FermiQuadrature, fermi_quadrature, repulsions
from jaxalloy.elements.cores import FrozenCore

Levels = tuple[Float[Array, " a"], Float[Array, " b"]]


class IonsInGas(eqx.Module):
    """Both ions of an alloy at its electron density, with everything that does not depend on the core levels."""

    ions: tuple[IonInGas, IonInGas]
    concentrations: Float[Array, "2"]
    volume: Scalar
    mean_valence: Scalar
    gas_density: Scalar
    fermi_wavenumber: Scalar
    sphere: FermiSphere
    ionic_levels: Levels
    """<T + V_ion>_nl per ion, Ry."""
    mean_potential: Scalar
    """V_0 = Σ c_i v_i^reg(0)/Omega, Ry."""
    hole_charges: Float[Array, "2"]
    """n_OH of PHH Table I, electrons."""
    hole_densities: Float[Array, "2 r"]
    """4 pi r^2 dn_i(r), electrons per bohr."""
    correlation: bool = eqx.field(static=True)
    """Whether V_ion has correlation besides exchange."""

    @property
    def valences(self) -> Float[Array, "2"]:
        """Z_A, Z_B."""
        return jnp.stack([ion.valence for ion in self.ions])

    @property
    def effective_valences(self) -> Float[Array, "2"]:
        """Z*_i = Z_i + the charge in the hole, which is n_OH,i where the core's orbitals are orthogonal.

        Scalar-relativistic ones (the large component alone) are so to 1e-3, and the charge is up to 6e-4 n_OH smaller.
        The charge actually in the hole counts: with any other the pair potentials would keep a Coulomb tail.
        """
        return self.valences - self.hole_densities @ self.ions[0].core.weight

    def holes(self, sinc: Float[Array, "q r"]) -> Float[Array, "2 q"]:
        """dn_i(q), electrons (negative), from sin(qr)/(qr) on the cores' radii."""
        return (self.hole_densities * self.ions[0].core.weight[None, :]) @ sinc.T

    def strengths(self, levels: Levels, k: Float[Array, "*shape"]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """(E_k - E_nl) B_nl(k) per ion, (orbital, *shape), with E_k = k^2 + <k|W|k>."""
        return self.raised(levels, k, both(lambda ion: amplitudes(ion.core, ion.state, k), self.ions))

    def raised(
        self, levels: Levels, k: Float[Array, "*shape"], amplitude: tuple[Float[Array, "..."], Float[Array, "..."]]
    ) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """`strengths` from known B_nl(k)."""
        potential = diagonal(self.ions, amplitude, levels, self.concentrations, self.volume, self.mean_potential, k)
        energy = (k**2 + potential)[None]
        return both(lambda level, b: (energy - level.reshape(-1, *[1] * k.ndim)) * b, levels, amplitude)


def ions_in_gas(
    cores: tuple[FrozenCore, FrozenCore],
    concentrations: Float[Array, "2"],
    volume: Scalar,
    valences: Float[Array, "2"],
    hole: str,
    hole_norm: str,
    correlation: bool,
) -> IonsInGas:
    """Two cores in the electron gas of their alloy.

    concentrations: c_A, c_B. volume: bohr^3 per atom. valences: Z_A, Z_B. hole: "exact" or "core".
    hole_norm: "omitted" or "kept", whether the hole has the norm 1/(1 - p) of the orthogonalised waves.
    correlation: whether the ions' local potential has it, besides exchange.
    """
    mean_valence = concentrations @ valences
    density = mean_valence / volume
    fermi = jnp.cbrt(3.0 * jnp.pi**2 * density)
    sphere = FermiSphere.of(fermi)

    def in_gas(core: FrozenCore, valence: Scalar) -> IonInGas:
        state = core.at(density)
        exchange = core_exchange(state.density, density, correlation)
        return IonInGas(core, state, valence, exchange, amplitudes(core, state, sphere.k))

    ions = both(in_gas, cores, (valences[0], valences[1]))
    weight = sphere.weight
    if hole_norm == "kept":
        weight = weight / (1.0 - lost_norm(ions, concentrations / volume))
    waves = None
    if hole == "exact":
        largest = max(max(core.angular_momenta) for core in cores)
        waves = spherical_bessel(largest, sphere.k[:, None] * cores[0].radius[None, :])
    return IonsInGas(
        ions=ions,
        concentrations=concentrations,
        volume=volume,
        mean_valence=mean_valence,
        gas_density=density,
        fermi_wavenumber=fermi,
        sphere=sphere,
        ionic_levels=both(ionic_levels, ions),
        mean_potential=concentrations @ jnp.stack([regular_ion_potential_at_zero(ion) for ion in ions]) / volume,
        hole_charges=jnp.stack(both(lambda ion: hole_charge(ion, weight), ions)),
        hole_densities=jnp.stack(both(lambda ion: hole_density(ion, weight, waves), ions)),
        correlation=correlation,
    )


class Response(eqx.Module):
    """First-order response to both ions on a grid of q, and the parts second order needs."""

    local: Float[Array, "2 q"]
    """a_i(q) = v_i + v_OH,i, Ry bohr^3."""
    regular: tuple[Float[Array, "k mu q"], Float[Array, "k mu q"]]
    """s_i(k, mu, q), Ry bohr^3."""
    first: Float[Array, "2 q"]
    """X[s_i]."""
    quadrature: FermiQuadrature
    smearing: Float[Array, " q"]
    """chi_l/chi_0, 1 for an infinite mean free path."""
    chi: Float[Array, " q"]
    coulomb: Float[Array, " q"]
    """v_c = (8 pi/q^2)(1 - G), Ry bohr^3."""

    @property
    def dielectric(self) -> Float[Array, " q"]:
        """eps_el = 1 - v_c chi."""
        return 1.0 - self.coulomb * self.chi

    @property
    def screening_charge(self) -> Float[Array, "2 q"]:
        """rho_i = X[u_i]/eps_el, electrons."""
        return (self.local * self.chi[None] + self.first) / self.dielectric[None]


def respond(
    alloy: IonsInGas,
    levels: Levels,
    q: Float[Array, " q"],
    local_field: LocalField,
    mean_free_path: ScalarLike | None,
) -> Response:
    """Response of the gas at wavenumbers q > 0 (1/bohr) for given core levels (absolute, Ry)."""
    fermi = alloy.fermi_wavenumber
    kernels = fourier_kernels(q, alloy.ions[0].core.radius)
    holes = alloy.holes(kernels[0])
    local = []
    for i, ion in enumerate(alloy.ions):
        local.append(regular_ion_potential(ion, kernels) - 8.0 * jnp.pi / q**2 * (ion.valence - holes[i]))
    chi = response(q, fermi, mean_free_path)
    smearing = chi / lindhard(q, fermi)
    quadrature = fermi_quadrature(q, fermi)
    strengths = alloy.strengths(levels, quadrature.wavenumber)
    regular = repulsions(alloy.ions, quadrature.final_squared, quadrature.along, strengths)
    return Response(
        local=jnp.stack(local),
        regular=regular,
        first=jnp.stack([smearing * quadrature.integrate(s) for s in regular]),
        quadrature=quadrature,
        smearing=smearing,
        chi=chi,
        coulomb=screened_coulomb(q, local_field(q, fermi)),
    )


def screened_pairs(response: Response, volume: Scalar) -> Float[Array, "3 q"]:
    """F_AA, F_AB, F_BB (Ry) from a response.

    2 Omega F_ij = [a_i a_j chi + a_i X[s_j] + a_j X[s_i] + v_c X[s_i] X[s_j]]/eps_el + X[s_i s_j]: the textbook form
    with u = a + s, in which nothing cancels as q -> 0 (there F_ij -> -4 pi Z*_i Z*_j/(Omega q^2)).
    """
    a, first = response.local, response.first
    screened = []
    for i, j in ((0, 0), (0, 1), (1, 1)):
        direct = a[i] * a[j] * response.chi + a[i] * first[j] + a[j] * first[i]
        screened.append(direct + response.coulomb * first[i] * first[j])
    one, other = response.regular
    products = jax.vmap(response.quadrature.integrate)(jnp.stack([one * one, one * other, other * other]))
    return (jnp.stack(screened) / response.dielectric[None] + response.smearing[None] * products) / (2.0 * volume)


def fermi_form_factors(
    alloy: IonsInGas, levels: Levels, response: Response, q: Float[Array, " q"]
) -> Float[Array, "2 q"]:
    """Screened form factors w_i between states on the Fermi sphere, Ry: |k| = |k+q| = k_F.

    Omega w_i = a_i + s_i(k_F, q) + v_c rho_i; beyond q = 2 k_F, where there are no such states, k and q are opposite.
    Between equal ends -> -(2/3) E_F Z*_i/Zbar as q -> 0, up to the core terms.
    """
    fermi = alloy.fermi_wavenumber
    mu = jnp.maximum(-q / (2.0 * fermi), -1.0)
    squared, along = fermi**2 + q**2 + 2.0 * fermi * q * mu, fermi + q * mu
    strengths = alloy.raised(levels, fermi[None], both(lambda ion: ion.sphere_amplitudes[:, -1:], alloy.ions))
    regular = jnp.stack(repulsions(alloy.ions, squared[None, None], along[None, None], strengths))[:, 0, 0]
    screening = response.coulomb[None] * response.screening_charge
    return (response.local + regular + screening) / alloy.volume
