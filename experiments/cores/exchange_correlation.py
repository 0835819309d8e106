"""Local exchange and Perdew-Zunger correlation of the unpolarised gas, in Ry, for densities in a0^-3."""

import numpy as np


def exchange_potential(density: np.ndarray) -> np.ndarray:
    """v_x = -2 (3 n/pi)^(1/3)."""
    return -2.0 * np.cbrt(3.0 * density / np.pi)


def correlation_potential(density: np.ndarray) -> np.ndarray:
    """v_c after Perdew and Zunger, Phys. Rev. B 23, 5048 (1981), Appendix C."""
    rs = np.cbrt(3.0 / (4.0 * np.pi * np.maximum(density, 1e-30)))
    root, log = np.sqrt(rs), np.log(rs)
    gamma, b1, b2 = -0.1423, 1.0529, 0.3334
    dilute = gamma * (1 + 7 / 6 * b1 * root + 4 / 3 * b2 * rs) / (1 + b1 * root + b2 * rs) ** 2
    dense = 0.0311 * log - 0.048 - 0.0311 / 3 + 2 / 3 * 0.0020 * rs * log + (2 * -0.0116 - 0.0020) / 3 * rs
    return 2.0 * np.where(rs >= 1, dilute, dense)


def perdew_zunger(density: np.ndarray) -> np.ndarray:
    """v_xc = v_x + v_c."""
    return exchange_potential(density) + correlation_potential(density)
