"""Kinetic systems of the reference trajectories (Taylor series of order 36 at 190 bits; mpmath)."""

import numpy as np
import pytest

from jaxalloy.kinetics import DrivenRelaxation, ExponentialRelaxation, FreeRelaxation


def _complex(values):
    return np.array([complex(*v) if isinstance(v, list) else complex(v) for v in values])


def _system(p):
    if "gamma" in p:
        return ExponentialRelaxation(p["Delta"], p["sigma0"], p["d0"], p["Gamma"], p["gamma"], p["Omega"])
    states = {
        "coupling": p["Delta"],
        "inversion": np.array(p["sigma0"]),
        "polarisation": _complex(p["d0"]),
        "dephasing": np.array(p.get("Gamma", 0.0)),
        "population_time": np.array(p.get("t_sigma", np.inf)),
        "detuning": np.array(p.get("delta", 0.0)),
    }
    if "kappa" in p:
        return DrivenRelaxation(**states, field_damping=p["kappa"], commutator=1.0, pump=np.array(p["sigma_pump"]))
    return FreeRelaxation(**states)


class Case:
    def __init__(self, entry):
        self.name, self.entry, self.system = entry["id"], entry, _system(entry["params"])
        self.times = np.array(entry["t"])
        self.field = np.array(entry["b_re"]) + 1j * np.array(entry["b_im"])

    def error(self, field):
        """Largest |b - reference| over max|b|."""
        return np.abs(np.asarray(field) - self.field).max() / np.abs(self.field).max()


@pytest.fixture(scope="session")
def cases(reference_numbers):
    """All reference trajectories by name."""
    entries = reference_numbers("kinetics_trajectories")["trajectories"]
    return {entry["id"]: Case(entry) for entry in entries}


@pytest.fixture(scope="session")
def nonlinear_cases(cases):
    """EM Eqs. 9 and 15."""
    return [c for c in cases.values() if not isinstance(c.system, ExponentialRelaxation)]


@pytest.fixture(scope="session")
def exponential_cases(cases):
    """EM Eqs. 12 and 13."""
    return [c for c in cases.values() if isinstance(c.system, ExponentialRelaxation)]
