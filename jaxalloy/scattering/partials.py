"""Partial structure factors of a binary liquid in the field's three conventions, and the way between them.

c = c_B is the concentration of the second element, c_A = 1 - c. With the Faber-Ziman a_ij (each -> 1):

    S_NN = c_A^2 a_AA + c_B^2 a_BB + 2 c_A c_B a_AB                          -> 1
    S_NC = c_A c_B [ c_A (a_AA - a_AB) - c_B (a_BB - a_AB) ]                 -> 0
    S_CC = c_A c_B [ 1 + c_A c_B (a_AA + a_BB - 2 a_AB) ]                    -> c_A c_B
    S_ij = delta_ij + sqrt(c_i c_j) (a_ij - 1)        Ashcroft-Langreth      -> delta_ij

Source: Bhatia & Thornton, Phys. Rev. B 2, 3004 (1970); Ashcroft & Langreth, Phys. Rev. 156, 685 (1967).
PHH's X_NC carries one more factor of two: that is the convention of their pair potentials, not of S_NC.
"""

import equinox as eqx
import jax.numpy as jnp

from jaxalloy._typing import Array, Float, ScalarLike
from jaxalloy.numerics.checks import InputError, require


class Partials(eqx.Module):
    """Partial structure factors of the alloy A(1-c)B(c) on one grid of wave numbers, kept as Bhatia-Thornton.

    symbols: (A, B). concentration: c = c_B, shape (). number_number, number_concentration,
    concentration_concentration: S_NN, S_NC and S_CC (which includes c_A c_B), shape (q,).
    """

    symbols: tuple[str, str] = eqx.field(static=True)
    concentration: ScalarLike
    number_number: Float[Array, " q"]
    number_concentration: Float[Array, " q"]
    concentration_concentration: Float[Array, " q"]

    def __check_init__(self):
        """Refuse what is not a binary alloy."""
        if len(self.symbols) != 2:
            raise InputError(f"symbols = {self.symbols}: a binary alloy has exactly two elements")
        require("concentration", self.concentration, lambda c: (c > 0) & (c < 1), "it must lie in (0, 1)")

    @classmethod
    def from_faber_ziman(
        cls,
        symbols: tuple[str, str],
        concentration: ScalarLike,
        a_AA: Float[Array, " q"],
        a_AB: Float[Array, " q"],
        a_BB: Float[Array, " q"],
    ) -> "Partials":
        """Partials from the Faber-Ziman a_AA, a_AB, a_BB, shape (q,), each -> 1 at large q."""
        c_A, c_B = _fractions(concentration)
        return cls(
            symbols,
            concentration,
            c_A**2 * a_AA + c_B**2 * a_BB + 2 * c_A * c_B * a_AB,
            c_A * c_B * (c_A * (a_AA - a_AB) - c_B * (a_BB - a_AB)),
            c_A * c_B * (1 + c_A * c_B * (a_AA + a_BB - 2 * a_AB)),
        )

    @classmethod
    def from_ashcroft_langreth(
        cls,
        symbols: tuple[str, str],
        concentration: ScalarLike,
        S_AA: Float[Array, " q"],
        S_AB: Float[Array, " q"],
        S_BB: Float[Array, " q"],
    ) -> "Partials":
        """Partials from the Ashcroft-Langreth S_AA, S_AB, S_BB, shape (q,), -> 1, 0, 1 at large q."""
        c_A, c_B = _fractions(concentration)
        root = jnp.sqrt(c_A * c_B)
        return cls(
            symbols,
            concentration,
            c_A * S_AA + c_B * S_BB + 2 * root * S_AB,
            c_A * c_B * (S_AA - S_BB) + root * (c_B - c_A) * S_AB,
            c_A * c_B * (c_B * S_AA + c_A * S_BB - 2 * root * S_AB),
        )

    def faber_ziman(self) -> tuple[Float[Array, " q"], Float[Array, " q"], Float[Array, " q"]]:
        """Faber-Ziman a_AA, a_AB, a_BB, shape (q,) each.

        a_AA = S_NN + [2 c_A S_NC + S_CC - c_A c_B]/c_A^2, a_BB = S_NN + [-2 c_B S_NC + S_CC - c_A c_B]/c_B^2,
        a_AB = S_NN + [(c_B - c_A) S_NC - S_CC + c_A c_B]/(c_A c_B).
        """
        c_A, c_B = _fractions(self.concentration)
        S_NN, S_NC = self.number_number, self.number_concentration
        order = self.concentration_concentration - c_A * c_B
        return (
            S_NN + (2 * c_A * S_NC + order) / c_A**2,
            S_NN + ((c_B - c_A) * S_NC - order) / (c_A * c_B),
            S_NN + (-2 * c_B * S_NC + order) / c_B**2,
        )

    def ashcroft_langreth(self) -> tuple[Float[Array, " q"], Float[Array, " q"], Float[Array, " q"]]:
        """Ashcroft-Langreth S_AA, S_AB, S_BB, shape (q,) each: delta_ij + sqrt(c_i c_j) (a_ij - 1)."""
        c_A, c_B = _fractions(self.concentration)
        a_AA, a_AB, a_BB = self.faber_ziman()
        return 1 + c_A * (a_AA - 1), jnp.sqrt(c_A * c_B) * (a_AB - 1), 1 + c_B * (a_BB - 1)


def _fractions(concentration: ScalarLike) -> tuple[Array, Array]:
    c_B = jnp.asarray(concentration)
    return 1 - c_B, c_B
