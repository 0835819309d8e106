"""What a diffractometer measures: scattering lengths, their weights, and the composite structure factor.

    S(q) = w_NN S_NN + w_NC S_NC + w_CC S_CC/(c_A c_B),        S(infinity) = 1                  (PHH Eq. 29)
    w_NN = <b>^2/<b^2>    w_NC = 2 <b> db/<b^2>    w_CC = c_A c_B db^2/<b^2>    db = b_A - b_B

so that w_NN + w_CC = 1 at every q. The lengths are looked up in `periodictable` by symbol, outside of any
trace; everything that depends on q is JAX.
"""

import abc
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, ScalarLike
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.numerics.checks import InputError, require
from jaxalloy.scattering.partials import Partials

FORM_FACTOR_Q_MAX = 75.0 * BOHR_IN_ANGSTROM
"""1/bohr: the form factors are fitted up to sin(theta)/lambda = 6 1/angstrom."""


class Weights(eqx.Module):
    """Weights of S_NN, S_NC and S_CC/(c_A c_B) in the composite structure factor, shape (q,) each."""

    number_number: Float[Array, " q"]
    number_concentration: Float[Array, " q"]
    concentration_concentration: Float[Array, " q"]


class Probe(eqx.Module):
    """Radiation that sees an element as a length b(q), in any unit common to both elements."""

    @abc.abstractmethod
    def lengths(self, symbols: tuple[str, str], q: Float[Array, " q"]) -> tuple[Array, Array]:
        """Lengths b_A, b_B, each of shape () or (q,), at the wave numbers q in 1/bohr."""

    def weights(self, symbols: tuple[str, str], concentration: ScalarLike, q: Float[Array, " q"]) -> Weights:
        """Weights of the Bhatia-Thornton partials at the wave numbers q in 1/bohr. Source: PHH Eq. 29.

        symbols: (A, B). concentration: c = c_B, shape ().
        """
        b_A, b_B = self.lengths(symbols, q)
        c_B = jnp.asarray(concentration)
        c_A = 1 - c_B
        mean, contrast = c_A * b_A + c_B * b_B, b_A - b_B
        mean_square = c_A * b_A**2 + c_B * b_B**2
        return Weights(
            jnp.broadcast_to(mean**2 / mean_square, q.shape),
            jnp.broadcast_to(2 * mean * contrast / mean_square, q.shape),
            jnp.broadcast_to(c_A * c_B * contrast**2 / mean_square, q.shape),
        )


class Neutrons(Probe):
    """Neutrons: bound coherent lengths in fm, of the natural element unless an isotope or a length is given.

    isotopes: mass number by symbol, {"Li": 7}. lengths_fm: a length by symbol, for enriched samples.
    The real part of the thermal value: absorption resonances (Cd, Sm, Eu, Gd) are not followed.
    Raises `InputError` for an isotope that does not exist or whose length is not tabulated.
    """

    isotopes: tuple[tuple[str, int], ...] = eqx.field(static=True)
    lengths_fm: tuple[tuple[str, float], ...] = eqx.field(static=True)

    def __init__(self, isotopes: Mapping[str, int] | None = None, lengths_fm: Mapping[str, float] | None = None):
        self.isotopes = tuple(sorted((isotopes or {}).items()))
        self.lengths_fm = tuple(sorted((symbol, float(b)) for symbol, b in (lengths_fm or {}).items()))
        for symbol, _ in self.isotopes:
            self.length(symbol)
        for symbol, length in self.lengths_fm:
            require(f"lengths_fm[{symbol!r}]", length, np.isfinite, "it must be a finite number of fm")

    def length(self, symbol: str) -> float:
        """Bound coherent scattering length of one element in fm."""
        given = dict(self.lengths_fm)
        if symbol in given:
            return given[symbol]
        element, mass_number = _periodic_element(symbol), dict(self.isotopes).get(symbol)
        if mass_number is None:
            length, name = element.neutron.b_c, symbol
        else:
            known = [number for number in element.isotopes if element[number].neutron.b_c is not None]
            if mass_number not in known:
                raise InputError(
                    f"isotope {symbol}={mass_number}: no neutron length is tabulated for it; "
                    f"those of {symbol} are {', '.join(map(str, known)) or 'none'}"
                )
            length, name = element[mass_number].neutron.b_c, f"{mass_number}{symbol}"
        if length is None:
            raise InputError(f"element {name}: no neutron length is tabulated; give one in lengths_fm")
        return float(length)

    def lengths(self, symbols: tuple[str, str], q: Float[Array, " q"]) -> tuple[Array, Array]:
        """b_A, b_B in fm, shape () each. Source: Sears' tables as kept by `periodictable`."""
        b_A, b_B = (jnp.asarray(self.length(symbol), dtype=q.dtype) for symbol in symbols)
        return b_A, b_B


class XRays(Probe):
    """X-rays: form factors of the free neutral atoms in electrons, without dispersion corrections."""

    def lengths(self, symbols: tuple[str, str], q: Float[Array, " q"]) -> tuple[Array, Array]:
        """f_A, f_B in electrons, shape (q,) each."""
        return form_factor(symbols[0], q), form_factor(symbols[1], q)


def probe_named(
    name: str, isotopes: Mapping[str, int] | None = None, lengths_fm: Mapping[str, float] | None = None
) -> Probe:
    """The probe of this name, "neutron" or "xray" in any spelling; isotopes and lengths as in `Neutrons`.

    Raises `InputError` for another name, and for lengths or isotopes given of x-rays.
    """
    word = name.strip().lower().rstrip("s").replace("-", "").replace(" ", "")
    if word not in ("neutron", "xray"):
        raise InputError(f"probe {name!r}: neutron or xray")
    if word == "neutron":
        return Neutrons(isotopes, lengths_fm)
    if isotopes or lengths_fm:
        raise InputError("isotopes and scattering lengths are for neutrons; x-rays see all isotopes alike")
    return XRays()


def form_factor(symbol: str, q: Float[Array, " q"]) -> Float[Array, " q"]:
    """X-ray form factor of a free neutral atom in electrons; f(0) is the atomic number.

    f(q) = c + sum_k a_k exp(-b_k s^2), s = sin(theta)/lambda = q/4 pi.

    symbol: the element. q: wave number in 1/bohr, shape (q,), at most FORM_FACTOR_Q_MAX.
    Raises `InputError` for an unknown element or a q outside the fit.
    Source: Waasmaier & Kirfel, Acta Cryst. A 51, 416 (1995), as kept by `periodictable`.
    """
    from periodictable.cromermann import getCMformula

    require("q", q, lambda x: np.abs(x) <= FORM_FACTOR_Q_MAX, f"the fit reaches {FORM_FACTOR_Q_MAX:.1f} 1/bohr")
    _periodic_element(symbol)
    try:
        fit = getCMformula(symbol)
    except KeyError:
        raise InputError(f"element {symbol}: no x-ray form factor is tabulated") from None
    amplitude, width = (jnp.asarray(column, dtype=q.dtype)[:, None] for column in (fit.a, fit.b))
    s_squared = (q / (4 * np.pi * BOHR_IN_ANGSTROM)) ** 2
    return fit.c + jnp.sum(amplitude * jnp.exp(-width * s_squared[None, :]), axis=0)


def _periodic_element(symbol: str):
    import periodictable

    try:
        return periodictable.elements.symbol(symbol)
    except ValueError:
        raise InputError(f"element {symbol!r}: no such element; write symbols as in Li0.8Pb0.2") from None


@runtime_checkable
class HasAlloyAndLiquid(Protocol):
    """What `structure_factor` needs of a state: `.alloy.symbols`, `.alloy.concentration` and the liquid's
    `.structure_factor_nn(q)` and `.structure_factor_cc(q)`, the latter with its factor c_A c_B."""

    alloy: Any
    liquid: Any


def structure_factor(state: HasAlloyAndLiquid | Partials, q: Float[Array, " q"], probe: Probe) -> Float[Array, " q"]:
    """Composite structure factor S(q) that `probe` measures, normalised so that S(infinity) = 1.

    S = w_NN S_NN + w_NC S_NC + w_CC S_CC/(c_A c_B), with the probe's weights.

    state: a state with an alloy and its reference liquid (S_NC = 0 for equal diameters), or `Partials` given
    on the same q. q: wave number in 1/bohr, shape (q,). probe: `Neutrons(...)` or `XRays()`.
    Returns S, shape (q,). Source: PHH Eq. 29, with the NC term that unequal atoms have.

    >>> import jax.numpy as jnp
    >>> import jaxalloy as ja
    >>> alloy = ja.Alloy.parse("Mg7Zn3", temperature=673.0)
    >>> state = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()), ja.Unconstrained())
    >>> S = ja.structure_factor(state, jnp.linspace(0.1, 6.0, 4), ja.XRays())
    >>> S.shape, round(float(S[-1]), 1)
    ((4,), 1.0)
    """
    partials = state if isinstance(state, Partials) else partials_of(state, q)
    c = partials.concentration
    weights = probe.weights(partials.symbols, c, q)
    return (
        weights.number_number * partials.number_number
        + weights.number_concentration * partials.number_concentration
        + weights.concentration_concentration * partials.concentration_concentration / (c * (1 - c))
    )


def partials_of(state: HasAlloyAndLiquid, q: Float[Array, " q"]) -> Partials:
    """Partial structure factors of a state's reference liquid at the wave numbers q in 1/bohr, shape (q,)."""
    S_NN = state.liquid.structure_factor_nn(q)
    return Partials(
        tuple(state.alloy.symbols),
        state.alloy.concentration,
        S_NN,
        jnp.zeros_like(S_NN),
        state.liquid.structure_factor_cc(q),
    )
