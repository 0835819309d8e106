"""Rydberg atomic units and the factors that lead out of them; used at the edges only.

Inside the library: length in bohr, energy in Ry, hbar = 1, electron mass 1/2, e^2 = 2, temperature in K.
Values: CODATA 2018.
"""

BOLTZMANN_RY_PER_K = 6.333623618e-6
"""k_B in Ry/K."""

BOHR_IN_ANGSTROM = 0.529177210903
RYDBERG_IN_EV = 13.605693122994
RYDBERG_IN_KJ_PER_MOL = 1312.74969974
"""One Ry per atom in kJ/mol."""

RYDBERG_PER_BOHR3_IN_GPA = 14710.5078482
"""One Ry per cubic bohr in GPa."""

GAS_CONSTANT_J_PER_MOL_K = 8.31446261815324
"""k_B per atom in J/(mol K)."""

ELECTRON_MASSES_PER_DALTON = 1822.888486209
MASS_UNITS_PER_DALTON = ELECTRON_MASSES_PER_DALTON / 2.0
"""Mass of one dalton where the electron has mass 1/2."""

SPEED_OF_LIGHT = 274.071998168
"""c in Rydberg atomic units, 2/alpha."""

DALTON_PER_BOHR3_IN_G_PER_CM3 = 11.205873062768
"""One dalton per cubic bohr in g/cm^3."""
