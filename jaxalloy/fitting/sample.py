"""The alloy of a measurement: any two elements, as a fit needs only symbols, composition, volume and temperature."""

import re

import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import ScalarLike
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM, DALTON_PER_BOHR3_IN_G_PER_CM3
from jaxalloy.elements.table import known_elements
from jaxalloy.numerics.checks import InputError, require_positive


def sample(
    formula: str,
    temperature: ScalarLike,
    volume: ScalarLike | None = None,
    density: ScalarLike | None = None,
    isotopes: dict[str, int] | None = None,
) -> Alloy:
    """The alloy that was measured. Arguments as in `Alloy.parse`, but for elements without a pseudopotential too.

    Those need a volume (bohr^3 per atom) or a density (g/cm^3), and their valence is unknown (NaN).
    Raises `InputError` for a formula that is not binary, or an element that does not exist.
    """
    parts = re.findall(r"([A-Z][a-z]?)([0-9]*\.?[0-9]*)", formula)
    symbols = [symbol for symbol, _ in parts]
    if set(symbols) <= set(known_elements()) or len(parts) != 2:
        return Alloy.parse(formula, temperature, volume, density, isotopes)
    # the grammar of formulas is that of Alloy.parse, which only knows its own elements
    stand_ins = dict(zip(symbols, ("Li", "Mg"), strict=True))
    written = "".join(stand_ins[symbol] + amount for symbol, amount in parts)
    if "".join(symbol + amount for symbol, amount in parts) != formula or len(set(symbols)) != 2:
        raise InputError(f'{formula!r} is not a binary formula: write it like "Fe0.5Co0.5"')
    blank = Alloy.parse(written, temperature, volume=100.0)
    masses = np.array([_mass(symbol, (isotopes or {}).get(symbol)) for symbol in symbols])
    source = "given"
    if density is not None:
        if volume is not None:
            raise InputError("both a volume and a density were given: give one of them")
        require_positive("density (g/cm^3)", density)
        c = float(blank.concentration)
        volume = ((1 - c) * masses[0] + c * masses[1]) * DALTON_PER_BOHR3_IN_G_PER_CM3 / density
        source = "from the given density"
    if volume is None:
        unknown = " and ".join(symbol for symbol in symbols if symbol not in known_elements())
        raise InputError(f"no density of {unknown} is tabulated: give a volume or a density")
    return Alloy(
        symbols=(symbols[0], symbols[1]),
        concentration=blank.concentration,
        volume=1.0 * jnp.asarray(volume),
        temperature=blank.temperature,
        valences=jnp.full(2, jnp.nan),
        masses=jnp.asarray(masses),
        volume_source=source,
    )


def volume_of_number_density(text: str) -> float:
    """Volume per atom (bohr^3) of a number density written with its unit, as in "0.0427 1/angstrom^3".

    Raises `InputError` without a unit: S(infinity) is 1 in one of them only.
    """
    parts = re.fullmatch(r"\s*(\S+)\s*(?:atoms?\s*)?(?:/|per\s|1/)\s*([^\s\d^³]+)\s*(?:\^?3|³)\s*", text)
    lengths = {"angstrom": BOHR_IN_ANGSTROM, "å": BOHR_IN_ANGSTROM, "a": BOHR_IN_ANGSTROM}
    lengths |= {"nm": BOHR_IN_ANGSTROM / 10, "bohr": 1.0, "a0": 1.0}
    try:
        if parts is None:
            raise KeyError
        density, bohr = float(parts[1]), lengths[parts[2].lower()]
    except (KeyError, ValueError):
        raise InputError(f"number density {text!r}: write it with its unit, as in 0.0427 1/angstrom^3") from None
    require_positive("number density", density)
    return 1 / (density * bohr**3)


def _mass(symbol: str, isotope: int | None) -> float:
    """Atomic mass in dalton."""
    import periodictable

    try:
        element = periodictable.elements.symbol(symbol)
    except ValueError:
        raise InputError(f"element {symbol!r}: no such element") from None
    if isotope is None:
        return float(element.mass)
    if isotope not in element.isotopes:
        raise InputError(f"no isotope {isotope} of {symbol}: known are {', '.join(map(str, element.isotopes))}")
    return float(element[isotope].mass)
