"""The optimised orthogonalised-plane-wave pseudopotential: interatomic forces from the elements alone.

Frozen cores in the electron gas of the alloy give the form factors (Cohen-Heine smoothest pseudopotential), the
orthogonalisation holes and, in second order, the energy-wavenumber characteristics

    F_ij = (Omega/2) { X[u_i u_j]/Omega^2 + v_c n_i n_j/eps_el },   n_i = X[u_i]/Omega,   u_i = Omega w_i + v_OH,i.

No parameter is fitted. Source: PHH Sec. II; Harrison, Pseudopotentials in the Theory of Metals (1966), Ch. 8; Hafner.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Bool, Float, Scalar, ScalarLike
from jaxalloy.electrons.core_levels import (
    CORE_SHIFTS,
    CORE_ZEROS,
    average_shift,
    ionic_levels,
    neutral_sphere_shift,
    zero_shift,
)
from jaxalloy.electrons.form_factors import (
    diagonal,
    fourier_kernels,
    regular_ion_potential,
    regular_ion_potential_at_zero,
)
from jaxalloy.electrons.orthogonalisation import IonInGas, hole_charge, hole_density
from jaxalloy.electrons.screening import (
    IchimaruUtsumi,
    LocalField,
    lindhard,
    response,
    screened_coulomb,
)
from jaxalloy.electrons.second_order import FermiQuadrature, fermi_quadrature, repulsions
from jaxalloy.elements.cores import KINDS, FrozenCore
from jaxalloy.numerics.checks import InputError

HOLES = ("exact", "core")


class OptimisedOPW(eqx.Module):
    """Choices within the optimised OPW method; `OptimisedOPW.paper()` are those of the article.

    cores: how the ions' cores were solved. hole: shape of the orthogonalisation hole, exact or that of the core.
    core_shift: reference potential of the core levels, the largest uncertainty of the method (see `core_levels`).
    core_zero: "consistent", or "without-gas-xc" for levels lowered by |v_xc(n0)|: not gauge-consistent, but likely
    what the article's Mg-Zn used. local_field: G(q) of the electron gas. mean_free_path: of the electrons, bohr.

    Raises InputError for a choice that does not exist.
    """

    cores: str = eqx.field(static=True, default="scalar-relativistic")
    hole: str = eqx.field(static=True, default="exact")
    core_shift: str = eqx.field(static=True, default="average")
    core_zero: str = eqx.field(static=True, default="consistent")
    local_field: LocalField = eqx.field(default_factory=IchimaruUtsumi)
    mean_free_path: ScalarLike | None = None

    def __check_init__(self):
        choices = {"cores": KINDS, "hole": HOLES, "core_shift": CORE_SHIFTS, "core_zero": CORE_ZEROS}
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(f"{name} = {value!r}: use one of {', '.join(map(repr, allowed))}")

    @classmethod
    def paper(cls) -> "OptimisedOPW":
        """The choices of PHH: non-relativistic Hartree-Fock cores, a hole with the shape of the core."""
        return cls(cores="hartree-fock", hole="core")

    @property
    def correlation(self) -> bool:
        """Whether the ions' local potential has correlation; with Hartree-Fock cores it is exchange alone."""
        return self.cores != "hartree-fock"


class IonsInGas(eqx.Module):
    """Both ions of an alloy at its electron density, with everything that does not depend on the core levels."""

    ions: tuple[IonInGas, IonInGas]
    concentrations: Float[Array, "2"]
    volume: Scalar
    mean_valence: Scalar
    gas_density: Scalar
    fermi_wavenumber: Scalar
    ionic_levels: tuple[Float[Array, " a"], Float[Array, " b"]]
    """<T + V_ion>_nl per ion, Ry."""
    mean_potential: Scalar
    """V_0 = Σ c_i v_i^reg(0)/Omega, Ry."""
    hole_charges: Float[Array, "2"]
    hole_densities: Float[Array, "2 r"]
    """4 pi r^2 dn_i(r), electrons per bohr."""

    @property
    def valences(self) -> Float[Array, "2"]:
        """Z_A, Z_B."""
        return jnp.stack([ion.valence for ion in self.ions])

    def holes(self, sinc: Float[Array, "q r"]) -> Float[Array, "2 q"]:
        """dn_i(q), electrons (negative), from sin(qr)/(qr)."""
        return (self.hole_densities * self.ions[0].core.weight[None, :]) @ sinc.T


class WavenumberCharacteristics(eqx.Module):
    """F_ij(q) of an alloy and what it is made of. Species come as A, B; pairs as AA, AB, BB."""

    q: Float[Array, " q"]
    F: Float[Array, "3 q"]
    """Energy-wavenumber characteristics, Ry."""
    effective_valences: Float[Array, "2"]
    """Z*_i = Z_i + n_OH,i."""
    hole_charges: Float[Array, "2"]
    """n_OH,i, electrons (PHH Table I)."""
    screening_charge: Float[Array, "2 q"]
    """rho_i(q) = Omega n_i/eps_el, electrons; Z*_i at q -> 0."""
    form_factors: Float[Array, "2 q"]
    """Screened form factors on the Fermi sphere, Ry: |k| = |k+q| = k_F; backward scattering beyond 2 k_F."""
    core_levels: tuple[Float[Array, " a"], Float[Array, " b"]]
    """E_nl per ion relative to the conduction band's zero, Ry, in the order of the core's table."""
    orbitals_tabulated: Bool[Array, "2"]
    """Whether each core was solved at this electron density; else it is frozen at the nearest tabulated one."""
    shift_converged: Bool[Array, ""]
    """Whether the self-consistent core shift converged; True where there is nothing to iterate."""


def ions_in_gas(
    potential: OptimisedOPW,
    concentrations: Float[Array, "2"],
    volume: Scalar,
    valences: Float[Array, "2"],
    cores_a: FrozenCore,
    cores_b: FrozenCore,
) -> IonsInGas:
    """The alloy's ions in its electron gas; arguments as in `wavenumber_characteristics`."""
    mean_valence = concentrations @ valences
    density = mean_valence / volume
    fermi = jnp.cbrt(3.0 * jnp.pi**2 * density)
    ions = tuple(IonInGas(core, core.at(density), valences[i]) for i, core in enumerate((cores_a, cores_b)))
    at_zero = [regular_ion_potential_at_zero(ion, density, potential.correlation) for ion in ions]
    return IonsInGas(
        ions=ions,
        concentrations=concentrations,
        volume=volume,
        mean_valence=mean_valence,
        gas_density=density,
        fermi_wavenumber=fermi,
        ionic_levels=tuple(ionic_levels(ion, density, potential.correlation) for ion in ions),
        mean_potential=concentrations @ jnp.stack(at_zero) / volume,
        hole_charges=jnp.stack([hole_charge(ion, fermi) for ion in ions]),
        hole_densities=jnp.stack([hole_density(ion, fermi, potential.hole) for ion in ions]),
    )


class Response(eqx.Module):
    """First-order response to the ions on a grid of q, and the parts second order needs."""

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

    @property
    def dielectric(self) -> Float[Array, " q"]:
        """eps_el = 1 - v_c chi."""
        return 1.0 - self.coulomb * self.chi

    @property
    def screening_charge(self) -> Float[Array, "2 q"]:
        """rho_i = X[u_i]/eps_el."""
        return (self.local * self.chi[None] + self.first) / self.dielectric[None]


def respond(
    potential: OptimisedOPW,
    alloy: IonsInGas,
    levels: tuple[Float[Array, " a"], Float[Array, " b"]],
    q: Float[Array, " q"],
) -> Response:
    """Response of the gas at wavenumbers q (1/bohr) for given core levels (Ry)."""
    fermi = alloy.fermi_wavenumber
    kernels = fourier_kernels(q, alloy.ions[0].core.radius)
    holes = alloy.holes(kernels[0])
    local = []
    for i, ion in enumerate(alloy.ions):
        regular = regular_ion_potential(ion, alloy.gas_density, potential.correlation, kernels)
        local.append(regular - 8.0 * jnp.pi / q**2 * (ion.valence - holes[i]))
    chi = response(q, fermi, potential.mean_free_path)
    smearing = chi / lindhard(q, fermi)
    quadrature = fermi_quadrature(q, fermi)
    repulsions = _repulsions(alloy, levels, quadrature)
    return Response(
        local=jnp.stack(local),
        regular=repulsions,
        first=jnp.stack([smearing * quadrature.integrate(s) for s in repulsions]),
        quadrature=quadrature,
        smearing=smearing,
        chi=chi,
        coulomb=screened_coulomb(q, potential.local_field(q, fermi)),
    )


def _repulsions(
    alloy: IonsInGas, levels: tuple[Float[Array, " a"], Float[Array, " b"]], quadrature: FermiQuadrature
) -> tuple[Float[Array, "k mu q"], Float[Array, "k mu q"]]:
    """s_A, s_B with E_k = k^2 + <k|W|k>."""
    k = quadrature.wavenumber
    amplitudes = tuple(ion.amplitudes(k) for ion in alloy.ions)
    energy = k**2 + diagonal(
        alloy.ions, amplitudes, levels, alloy.concentrations, alloy.volume, alloy.mean_potential, k
    )
    strengths = tuple(
        (energy[None] - level[:, None, None]) * amplitude
        for level, amplitude in zip(levels, amplitudes, strict=True)
    )
    return repulsions(alloy.ions, quadrature, strengths)


def screened_pairs(response: Response, volume: Scalar) -> Float[Array, "3 q"]:
    """F_AA, F_AB, F_BB (Ry) from a response.

    2 Omega F_ij = [a_i a_j chi + a_i X[s_j] + a_j X[s_i] + v_c X[s_i] X[s_j]]/eps_el + X[s_i s_j]: the textbook form
    with u = a + s, in which nothing cancels as q -> 0 (there F_ij -> -4 pi Z*_i Z*_j/(Omega q^2)).
    """
    a, first = response.local, response.first
    pairs = []
    for i, j in ((0, 0), (0, 1), (1, 1)):
        product = response.quadrature.integrate(response.regular[i] * response.regular[j])
        screened = a[i] * a[j] * response.chi + a[i] * first[j] + a[j] * first[i]
        screened = screened + response.coulomb * first[i] * first[j]
        pairs.append(screened / response.dielectric + response.smearing * product)
    return jnp.stack(pairs) / (2.0 * volume)


def wavenumber_characteristics(
    potential: OptimisedOPW,
    concentrations: Float[Array, "2"],
    volume: Scalar,
    valences: Float[Array, "2"],
    cores_a: FrozenCore,
    cores_b: FrozenCore,
    q: Float[Array, " q"],
) -> WavenumberCharacteristics:
    """F_ij(q) of the alloy of two frozen cores.

    concentrations: c_A, c_B. volume: Omega, a0^3 per atom. valences: Z_A, Z_B. q: wavenumbers > 0, 1/bohr, any number.
    Composes under jit, vmap, jvp and vjp in concentrations, volume, valences, q and the mean free path.
    Source: PHH Sec. II A-B, with the regular and the singular part of the form factor kept apart.
    """
    alloy = ions_in_gas(potential, concentrations, volume, valences, cores_a, cores_b)
    levels, converged = core_levels(potential, alloy)
    answer = respond(potential, alloy, levels, q)
    rho = answer.screening_charge
    return WavenumberCharacteristics(
        q=q,
        F=screened_pairs(answer, volume),
        effective_valences=valences + alloy.hole_charges,
        hole_charges=alloy.hole_charges,
        screening_charge=rho,
        form_factors=rho * 0,
        core_levels=levels,
        orbitals_tabulated=jnp.stack([core.holds(alloy.gas_density) for core in (cores_a, cores_b)]),
        shift_converged=converged,
    )


def core_levels(potential: OptimisedOPW, alloy: IonsInGas):
    zero = zero_shift(potential.core_zero, alloy.gas_density, potential.correlation)
    if potential.core_shift == "average":
        shifts = [average_shift(ion, alloy.mean_valence, alloy.gas_density) for ion in alloy.ions]
    else:
        shifts = [neutral_sphere_shift(ion, alloy.concentrations, alloy.valences, alloy.gas_density) for ion in alloy.ions]
    return tuple(l + s + zero for l, s in zip(alloy.ionic_levels, shifts)), jnp.asarray(True)
