"""Response of the electron gas: Lindhard function, finite mean free path, local-field factors.

eps_el(q) = 1 - v_c(q) chi(q),   v_c = (8 pi/q^2)(1 - G(q)),   chi_0 = -(k_F/2 pi^2) L(q/2k_F)
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i1e

from jaxalloy._typing import Array, Float, Scalar, ScalarLike
from jaxalloy.numerics.checks import require, require_positive
from jaxalloy.numerics.interpolation import interpolate

_SERIES_TERMS = 16
_SERIES = 1 / (4 * np.arange(1, _SERIES_TERMS + 1) ** 2 - 1)  # 1/((2n-1)(2n+1))


@jax.jit
def lindhard_shape(x):
    """L(x) = 1/2 + (1 - x^2)/(4x) ln|(1+x)/(1-x)| of x = q/2k_F, any shape; L(0) = 1, L(1) = 1/2.

    For complex x in the upper half plane the analytic function with ln[(x+1)/(x-1)], whose real part that is on the
    axis. Series in x^2 and 1/x^2 replace the closed form where it cancels; the logarithm's term vanishes at x = 1.
    """
    is_complex = jnp.iscomplexobj(x)
    size = jnp.abs(x)
    small, large = size < 0.25, size > 4.0
    inner = jnp.where(small, x, 0.1)
    outer = 1 / jnp.where(large, x, 10.0)
    powers_in, powers_out = inner**2, outer**2
    low, high = jnp.zeros_like(inner), jnp.zeros_like(outer)
    for coefficient in _SERIES[::-1].tolist():
        low = (low + coefficient) * powers_in
        high = (high + coefficient) * powers_out
    at_kink = (size == 1.0) & (not is_complex)
    middle = jnp.where(small | large | at_kink, 0.5, x)
    ratio = (middle + 1) / (middle - 1)
    logarithm = jnp.log(ratio) if is_complex else jnp.log(jnp.abs(ratio))
    closed = 0.5 + jnp.where(at_kink, 0.0, (1 - middle**2) / (4 * middle) * logarithm)
    near_zero = 1 - low
    if is_complex:
        near_zero = near_zero - 0.25j * jnp.pi * (1 - powers_in) / inner
    return jnp.where(small, near_zero, jnp.where(large, high, closed))


def lindhard(q: Float[Array, "..."], fermi_wavenumber: ScalarLike) -> Float[Array, "..."]:
    """chi_0(q) = -(k_F/2 pi^2) L(q/2k_F), in 1/(Ry bohr^3), of the free electron gas.

    q, fermi_wavenumber: 1/bohr. Source: physics.md 3.1 (PHH Sec. II).
    """
    return -fermi_wavenumber / (2 * jnp.pi**2) * lindhard_shape(q / (2 * fermi_wavenumber))


def smeared_lindhard(
    q: Float[Array, "..."], fermi_wavenumber: ScalarLike, mean_free_path: ScalarLike
) -> Float[Array, "..."]:
    """chi(q) of electrons with a finite mean free path l, i.e. chi_0(R) exp(-R/l) in real space.

    chi_l = -(k_F/2 pi^2) Re h(q + i/l)/q with h(z) = z L(z/2k_F): the logarithmic singularity at 2 k_F is
    smeared over 1/l. q, fermi_wavenumber: 1/bohr. mean_free_path: bohr.
    Source: de Gennes, J. Phys. Radium 23, 630 (1962), in closed form; named as most urgent in PHH Sec. VI.
    """
    smearing = 1j / mean_free_path
    safe = jnp.where(q == 0, 1e-3 * fermi_wavenumber, q)
    z = safe + smearing
    shape = jnp.real(z * lindhard_shape(z / (2 * fermi_wavenumber))) / safe
    # q -> 0: Re h(q + i/l)/q -> Re h'(i/l), h'(z) = 1 - (x/2) ln[(x+1)/(x-1)]
    x = smearing / (2 * fermi_wavenumber)
    slope = jnp.real(1 - x / 2 * jnp.log((x + 1) / (x - 1)))
    return -fermi_wavenumber / (2 * jnp.pi**2) * jnp.where(q == 0, slope, shape)


def response(
    q: Float[Array, "..."], fermi_wavenumber: ScalarLike, mean_free_path: ScalarLike | None = None
) -> Float[Array, "..."]:
    """`lindhard`, or `smeared_lindhard` where a mean free path (bohr) is given."""
    if mean_free_path is None:
        return lindhard(q, fermi_wavenumber)
    require_positive("mean free path (bohr)", mean_free_path)
    return smeared_lindhard(q, fermi_wavenumber, mean_free_path)


class LocalField(eqx.Module):
    """Local-field factor G(q): the exchange-correlation hole's weakening of the Coulomb repulsion."""

    def __call__(self, q: Float[Array, "..."], fermi_wavenumber: ScalarLike) -> Float[Array, "..."]:
        """G at wavenumbers q (1/bohr) of a gas with Fermi wavenumber k_F (1/bohr); dimensionless."""
        raise NotImplementedError


class NoLocalField(LocalField):
    """G = 0, the random-phase approximation."""

    def __call__(self, q, fermi_wavenumber):
        """Zero everywhere."""
        return jnp.zeros_like(q)


class IchimaruUtsumi(LocalField):
    """Fit to the local field that obeys the compressibility and short-range conditions.

    G = A Q^4 + B Q^2 + C + [A Q^4 + (B + 8A/3) Q^2 - C] (4-Q^2)/(4Q) ln|(2+Q)/(2-Q)|,  Q = q/k_F,
    with gamma_0 from the Vosko-Wilk-Nusair correlation energy: G -> gamma_0 Q^2 at small Q.
    Source: Ichimaru & Utsumi, Phys. Rev. B 24, 7385 (1981).
    """

    def __call__(self, q, fermi_wavenumber):
        """G(q), see the class."""
        rs = jnp.cbrt(9 * jnp.pi / 4) / fermi_wavenumber
        gamma0 = compressibility_coefficient(rs)
        hole = 1 - contact_pair_correlation(rs)
        a = 0.029
        b = 9 * gamma0 / 16 - 3 * hole / 64 - 16 * a / 15
        c = -3 * gamma0 / 4 + 9 * hole / 16 - 16 * a / 5
        scaled = q / fermi_wavenumber
        small = jnp.abs(scaled) < 0.02
        square = jnp.where(small, 1.0, scaled) ** 2
        shape = 2 * lindhard_shape(jnp.sqrt(square) / 2)  # 1 + (4-Q^2)/(4Q) ln|..|
        full = (a * square**2 + b * square) * shape + 8 * a / 3 * square * (shape - 1) + c * (2 - shape)
        return jnp.where(small, gamma0 * scaled**2, full)


class VashishtaSingwi(LocalField):
    """G = A (1 - exp(-B Q^2)), Q = q/k_F, with A and B tabulated in r_s from 1 to 6 and interpolated.

    Source: Vashishta & Singwi, Phys. Rev. B 6, 875 (1972). A B is their compressibility coefficient gamma_0.
    Raises `InputError` outside the table.
    """

    def __call__(self, q, fermi_wavenumber):
        """G(q), see the class."""
        rs = jnp.asarray(jnp.cbrt(9 * jnp.pi / 4) / fermi_wavenumber)
        require(
            "r_s",
            rs,
            lambda x: (x > 1 - 1e-9) & (x < 6 + 1e-9),
            "the Vashishta-Singwi table runs from 1 to 6; use IchimaruUtsumi()",
        )
        knots = np.array([1 - 1e-9, 2.0, 3.0, 4.0, 5.0, 6 + 1e-9])  # room for rounding; NaN outside
        amplitude = interpolate(rs, knots, np.array([0.70853, 0.85509, 0.97805, 1.08482, 1.17987, 1.26569]))
        width = interpolate(rs, knots, np.array([0.36940, 0.33117, 0.30440, 0.28430, 0.26850, 0.25561]))
        return -amplitude * jnp.expm1(-width * (q / fermi_wavenumber) ** 2)


def compressibility_coefficient(rs: Scalar) -> Scalar:
    """gamma_0 of G -> gamma_0 (q/k_F)^2, from the Vosko-Wilk-Nusair correlation energy; rs in bohr.

    Source: physics.md 3.1; Vosko, Wilk & Nusair, Can. J. Phys. 58, 1200 (1980).
    """
    b0, b1, b2, b3 = 0.0621814, 9.81379, 2.82224, 0.736411
    x = jnp.sqrt(rs)
    top = 1 + b1 * x
    bottom = top + b2 * rs + b3 * rs * x
    # d/drs of rs^-3 b0 top/bottom, with d/drs = (1/2x) d/dx
    slope = (b1 * bottom - top * (b1 + 2 * b2 * x + 3 * b3 * rs)) / bottom**2 / (2 * x)
    derivative = b0 * (slope / rs**3 - 3 * top / bottom / rs**4)
    return 0.25 - jnp.pi * np.cbrt(4 / (9 * np.pi)) / 24 * rs**5 * derivative


def contact_pair_correlation(rs: Scalar) -> Scalar:
    """g(0) = (z/I_1(z))^2/8, z = 4 sqrt(a rs/pi), of two electrons; rs in bohr. Source: physics.md 3.1."""
    z = 4 * jnp.sqrt(np.cbrt(4 / (9 * np.pi)) * rs / jnp.pi)
    return (z / (i1e(z) * jnp.exp(z))) ** 2 / 8


def screened_coulomb(q: Float[Array, "..."], field: Float[Array, "..."]) -> Float[Array, "..."]:
    """v_c = (8 pi/q^2)(1 - G), Ry bohr^3. q: 1/bohr. field: G(q)."""
    return 8 * jnp.pi / q**2 * (1 - field)
