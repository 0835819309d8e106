"""The state of a binary liquid alloy: what it is made of, how dense, how hot."""

import dataclasses
import re
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar, ScalarLike
from jaxalloy.constants import DALTON_PER_BOHR3_IN_G_PER_CM3
from jaxalloy.elements.table import lookup, measured_volumes
from jaxalloy.numerics.checks import InputError, require, require_positive
from jaxalloy.numerics.interpolation import interpolate
from jaxalloy.numerics.programs import program


class Alloy(eqx.Module):
    """Binary liquid alloy A(1-c)B(c) with mean atomic volume Omega at temperature T.

    symbols: of A and B. concentration: c, atomic fraction of B, in (0, 1). volume: bohr^3 per atom.
    temperature: K. valences: Z_A, Z_B. masses: dalton. volume_source: where the volume is from, in words.
    All but the two texts are arrays of shape () or (2,), so that an Alloy can be traced, mapped, differentiated.

    Raises `InputError` for values outside these ranges.
    Source: physics of PHH Sec. II.
    """

    symbols: tuple[str, str] = eqx.field(static=True)
    concentration: Scalar = eqx.field(converter=jnp.asarray)
    volume: Scalar = eqx.field(converter=jnp.asarray)
    temperature: Scalar = eqx.field(converter=jnp.asarray)
    valences: Float[Array, "2"] = eqx.field(converter=jnp.asarray)
    masses: Float[Array, "2"] = eqx.field(converter=jnp.asarray)
    volume_source: str = eqx.field(static=True, default="given")

    def __check_init__(self):
        require(
            "concentration of the second element",
            self.concentration,
            lambda c: (c > 0) & (c < 1),
            "a binary alloy needs a fraction between 0 and 1 (for a pure metal: Alloy.pure)",
        )
        require_positive("volume (bohr^3 per atom)", self.volume)
        require_positive("temperature (K)", self.temperature)

    @classmethod
    def parse(
        cls,
        formula: str,
        temperature: ScalarLike,
        volume: ScalarLike | None = None,
        density: ScalarLike | None = None,
        isotopes: dict[str, int] | None = None,
    ) -> "Alloy":
        """Read a formula such as "Li0.8Pb0.2", "Mg7Zn3" or "LiPb".

        temperature: K. volume: bohr^3 per atom, or density: g/cm^3; without either the volume comes from the
        element tables (`liquid_volume`). isotopes: mass numbers, e.g. {"Li": 7}, that set the atomic masses.
        Raises `InputError` for a formula that is not a binary alloy of tabulated elements.

        >>> import jaxalloy as ja
        >>> alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
        >>> alloy.symbols, round(float(alloy.concentration), 3), round(float(alloy.volume), 1)
        (('Li', 'Pb'), 0.2, 149.6)
        >>> ja.Alloy.parse("Li0.8Pb", temperature=1000.0)
        Traceback (most recent call last):
            ...
        jaxalloy.numerics.checks.InputError: ...
        """
        symbols, concentration = parse_formula(formula)
        return cls.of(symbols, concentration, temperature, volume, density, isotopes)

    @classmethod
    def pure(cls, symbol: str, temperature: ScalarLike, volume: ScalarLike | None = None) -> "Alloy":
        """A pure liquid metal, as the alloy of an element with itself (its ordering potential vanishes).

        temperature: K. volume: bohr^3 per atom, from the element tables by default.
        """
        return cls.of((symbol, symbol), 0.5, temperature, volume)

    @classmethod
    def of(
        cls,
        symbols: tuple[str, str],
        concentration: ScalarLike,
        temperature: ScalarLike,
        volume: ScalarLike | None = None,
        density: ScalarLike | None = None,
        isotopes: dict[str, int] | None = None,
    ) -> "Alloy":
        """The alloy of two tabulated elements; arguments as in `parse`, `concentration` is that of the second."""
        if volume is not None and density is not None:
            raise InputError("both a volume and a density were given: give one of them")
        elements = [lookup(symbol) for symbol in symbols]
        concentration, temperature = (_as_real(x) for x in (concentration, temperature))
        require_positive("temperature (K)", temperature)
        masses = np.asarray([_mass(element.symbol, element.mass, isotopes) for element in elements])
        source = "given"
        if density is not None:
            require_positive("density (g/cm^3)", density)
            mean_mass = (1 - concentration) * masses[0] + concentration * masses[1]
            volume = mean_mass * DALTON_PER_BOHR3_IN_G_PER_CM3 / density
            source = "from the given density"
        elif volume is None:
            volume, source = liquid_volume(symbols, concentration, temperature)
        return cls(
            symbols=(symbols[0], symbols[1]),
            concentration=concentration,
            volume=jnp.asarray(volume, dtype=jnp.result_type(float, concentration)),
            temperature=temperature,
            valences=jax.device_put(np.asarray([1.0 * element.valence for element in elements])),
            masses=jax.device_put(masses),
            volume_source=source,
        )

    def at(
        self,
        *,
        concentration: ScalarLike | None = None,
        volume: ScalarLike | None = None,
        temperature: ScalarLike | None = None,
    ) -> "Alloy":
        """The same alloy with the named quantities changed; every other one stays, the volume included.

        Follow it by `.at_liquid_volume()` to look the volume up again for the new composition and temperature.
        """
        given = {"concentration": concentration, "volume": volume, "temperature": temperature}
        changes: dict[str, Any] = {name: 1.0 * jnp.asarray(new) for name, new in given.items() if new is not None}
        if volume is not None:
            changes["volume_source"] = "given"
        return dataclasses.replace(self, **changes)

    def at_liquid_volume(self) -> "Alloy":
        """The same alloy with the volume of `liquid_volume` for its composition and temperature."""
        volume, source = liquid_volume(self.symbols, self.concentration, self.temperature)
        return dataclasses.replace(self, volume=volume, volume_source=source)

    def without_texts(self) -> "Alloy":
        """The same state of an alloy AB, or of a metal AA, without sources: compiled code serves every alloy."""
        same = self.symbols[0] == self.symbols[1]
        return dataclasses.replace(self, symbols=("A", "A" if same else "B"), volume_source="")

    @property
    def concentrations(self) -> Float[Array, "2"]:
        """Atomic fractions c_A, c_B."""
        return jnp.stack([1 - self.concentration, self.concentration])

    @property
    def mean_valence(self) -> Scalar:
        """Valence electrons per atom."""
        return self.concentrations @ self.valences

    @property
    def electron_density(self) -> Scalar:
        """Mean density of valence electrons, bohr^-3."""
        return self.mean_valence / self.volume

    @property
    def fermi_wavenumber(self) -> Scalar:
        """k_F = (3 pi^2 n_0)^(1/3), 1/bohr."""
        return jnp.cbrt(3 * jnp.pi**2 * self.electron_density)

    @property
    def mass_density(self) -> Scalar:
        """g/cm^3."""
        return _mass_density(self.without_texts())


@program
def _mass_density(alloy: Alloy) -> Scalar:
    return alloy.concentrations @ alloy.masses * DALTON_PER_BOHR3_IN_G_PER_CM3 / alloy.volume


def parse_formula(formula: str) -> tuple[tuple[str, str], float]:
    """Split "Li0.8Pb0.2" into (("Li", "Pb"), 0.2), the fraction being that of the second element.

    Integers are proportions ("Mg7Zn3", "LiPb"); fractions must add up to 1.
    Raises `InputError` for anything that is not a binary formula.
    """
    example = 'write it like "Li0.8Pb0.2" or "Mg7Zn3"'
    parts = re.findall(r"([A-Z][a-z]?)([0-9]*\.?[0-9]*)", formula)
    if "".join(symbol + amount for symbol, amount in parts) != formula or not parts:
        raise InputError(f"{formula!r} is not a formula: {example}")
    if len(parts) != 2:
        raise InputError(
            f"{formula!r} has {len(parts)} element{'s' * (len(parts) > 1)}: only binary alloys are treated; {example}"
        )
    symbols = (parts[0][0], parts[1][0])
    for symbol in symbols:
        lookup(symbol)
    if symbols[0] == symbols[1]:
        raise InputError(f"{formula!r} names {symbols[0]} twice: {example}")
    if "." in (parts[0][1], parts[1][1]):
        raise InputError(f"{formula!r} is not a formula: {example}")
    amounts = [float(amount) if amount else 1.0 for _, amount in parts]
    total = sum(amounts)
    if any("." in amount for _, amount in parts) and abs(total - 1) > 1e-6:
        raise InputError(f"the fractions of {formula!r} add up to {total:g}: they must add up to 1")
    if min(amounts) <= 0:
        zero = symbols[amounts.index(min(amounts))]
        raise InputError(f"{formula!r} holds no {zero}: both fractions must lie between 0 and 1")
    return symbols, amounts[1] / total


def liquid_volume(symbols: tuple[str, str], concentration: ScalarLike, temperature: ScalarLike) -> tuple[Scalar, str]:
    """Mean atomic volume of the liquid alloy, bohr^3 per atom, and its source in words.

    Measured alloy volumes where they are tabulated: the ratio to the additive volume is interpolated over the
    composition (monotone cubic; it is 1 for the pure liquids) and taken as independent of temperature. Elsewhere
    the additive volume c_A Omega_A(T) + c_B Omega_B(T) of the measured liquid densities.
    """
    return _liquid_volume(symbols, _as_real(concentration), _as_real(temperature))


@program
def _liquid_volume(symbols: tuple[str, str], concentration: Scalar, temperature: Scalar) -> tuple[Scalar, str]:
    first, second = (lookup(symbol) for symbol in symbols)

    def additive(c, at):
        return (1 - c) * first.liquid_volume(at) + c * second.liquid_volume(at)

    volume = additive(concentration, temperature)
    measured = measured_volumes(first.symbol, second.symbol)
    if not measured:
        return volume, (
            f"additive, from the liquid densities of {first.symbol} ({first.density_source}) and "
            f"{second.symbol} ({second.density_source})"
        )
    fractions = np.array([0.0, *(point.fraction for point in measured), 1.0])
    ratios = [point.volume / additive(point.fraction, point.temperature) for point in measured]
    ratio = interpolate(concentration, fractions, np.array([1.0, *ratios, 1.0]), method="monotonic")
    sources = ", ".join(dict.fromkeys(point.source for point in measured))
    return volume * ratio, f"measured: {sources}; {len(measured)} compositions, interpolated"


def _as_real(value: ScalarLike) -> Scalar:
    dtype = jnp.result_type(float, value)
    return jnp.asarray(np.asarray(value, dtype) if isinstance(value, int | float) else value, dtype)


def _mass(symbol: str, natural: float, isotopes: dict[str, int] | None) -> float:
    """Atomic mass in dalton of the natural element, or of the isotope asked for."""
    if not isotopes or symbol not in isotopes:
        return natural
    import periodictable  # slow to import, and only isotopes need it

    element = getattr(periodictable, symbol)
    if isotopes[symbol] not in element.isotopes:
        raise InputError(
            f"no isotope {isotopes[symbol]} of {symbol}: known are {', '.join(map(str, element.isotopes))}"
        )
    return float(element[isotopes[symbol]].mass)
