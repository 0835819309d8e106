"""Synthetic liquid Li-Pb: the states of PHH Table II, seen by neutrons with 7Li, 400 points, q 0.5 to 10 1/angstrom."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy import Alloy, HardSphereYukawa
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.fitting.synthetic import empty_template, synthetic_data
from jaxalloy.scattering import Neutrons

# c_Li: volume (bohr^3), sigma (bohr), kappa (1/bohr), epsilon (mRy), as printed; eta follows from volume and sigma
TABLE_II = {
    0.9: (156.7, 4.76, 1.40, -20.2),
    0.8: (149.6, 4.93, 1.80, -30.2),
    0.7: (156.6, 5.04, 1.70, -30.2),
    0.6: (165.5, 5.18, 1.70, -27.0),
    0.5: (176.3, 5.29, 1.70, -20.9),
    0.4: (187.7, 5.35, 1.90, -15.7),
    0.3: (197.5, 5.43, 1.90, -10.2),
}
NOISE = 0.01
Q = np.linspace(0.5, 10.0, 400) * BOHR_IN_ANGSTROM


@dataclasses.dataclass(frozen=True)
class LithiumLead:
    """A state with known answer."""

    alloy: Alloy
    liquid: HardSphereYukawa
    template: object

    @classmethod
    def at(cls, c_lithium, kappa=None, epsilon=None, probe=None, q=Q, noise=NOISE, temperature=1000.0):
        volume, sigma, table_kappa, table_epsilon = TABLE_II[c_lithium]
        alloy = Alloy.of(("Li", "Pb"), 1 - c_lithium, temperature, volume)
        eta = np.pi * sigma**3 / (6 * volume)
        strength = 1e-3 * (table_epsilon if epsilon is None else epsilon)
        kappa = table_kappa if kappa is None else kappa
        liquid = HardSphereYukawa(1 - c_lithium, eta, sigma, strength, kappa, temperature)
        probe = Neutrons(isotopes={"Li": 7}) if probe is None else probe
        return cls(alloy, liquid, empty_template(q, noise, probe))

    def data(self, seed, **instrument):
        return synthetic_data(self.template, self.alloy, self.liquid, jax.random.key(seed), **instrument)

    def exact(self):
        blank = dataclasses.replace(self.template, errors=None)
        return synthetic_data(blank, self.alloy, self.liquid, jax.random.key(0)).curves[0]

    def many(self, count, seed):
        noise = NOISE * jax.random.normal(jax.random.key(seed), (count, Q.size))
        return self.exact()[None] + noise

    def weights(self):
        nn, cc, _ = self.template.weights(self.alloy)
        return nn[0], cc[0]

    def variables(self):
        """The true (sigma, y, ln kappa, scale, level)."""
        return np.array([self.liquid.sigma, self.liquid.y, jnp.log(self.liquid.kappa), 1.0, 1.0])


@pytest.fixture(scope="session")
def lithium_lead():
    return LithiumLead.at
