"""What `jaxalloy predict --mixing --equation-of-state` adds: heats with their uncertainty, pressure, volumes."""

import dataclasses

from jaxalloy.cli.report import Report
from jaxalloy.constants import GAS_CONSTANT_J_PER_MOL_K, RYDBERG_IN_KJ_PER_MOL, RYDBERG_PER_BOHR3_IN_GPA
from jaxalloy.numerics.checks import InputError, NoResultError

EXTENTS = ((0.7, 1.25), (0.9, 1.1), (0.97, 1.03))
"""Of the volumes sampled, in units of the alloy's own, widest first: the first with a minimum everywhere is taken."""


def require_volume_energy(potential, mixing: bool, equation_of_state: bool) -> None:
    """Raise `InputError` where something is asked for that tabulated potentials do not have."""
    from jaxalloy.electrons.tabulated import TabulatedPotential

    if isinstance(potential, TabulatedPotential) and (mixing or equation_of_state):
        option = "mixing" if mixing else "equation-of-state"
        raise InputError(f"--{option}: tabulated potentials have no volume energy; use --potential opw or empty-core")


def show_energetics(report: Report, state, potential, mixing: bool, equation_of_state: bool) -> None:
    """Compute, print and record what was asked for of a converged state.

    Raises `NoResultError` where a pure liquid has no minimum, or the alloy at volumes next to its own.
    """
    if mixing:
        show_mixing(report, state, potential)
    if equation_of_state:
        show_equation_of_state(report, state, potential)


def show_mixing(report: Report, state, potential) -> None:
    """Heat and entropy of mixing against the pure liquids at the same temperature."""
    from jaxalloy.thermodynamics.mixing import HEAT_UNCERTAINTY_KJ_PER_MOL, mixing

    found = mixing(state, potential)
    for symbol, pure in zip(state.alloy.symbols, found.pure, strict=True):
        if not bool(pure.converged):
            why = f"pure liquid {symbol} at {float(state.alloy.temperature):g} K: {pure.status}"
            raise NoResultError(f"functions of mixing: {why}; try another temperature or potential")
    heat = RYDBERG_IN_KJ_PER_MOL * float(found.enthalpy)
    entropy, excess = (GAS_CONSTANT_J_PER_MOL_K * float(x) for x in (found.entropy, found.excess_entropy))
    report.table(
        "mixing, against the pure liquids",
        [
            ("heat of mixing", f"{heat:.1f} +- {HEAT_UNCERTAINTY_KJ_PER_MOL:.0f}", "kJ/mol: semi-quantitative"),
            ("entropy of mixing", f"{entropy:.2f}", f"J/(mol K), of which excess {excess:.2f}"),
        ],
    )
    report.record(
        heat_of_mixing_kJ_per_mol=heat,
        heat_of_mixing_uncertainty_kJ_per_mol=HEAT_UNCERTAINTY_KJ_PER_MOL,
        entropy_of_mixing_J_per_mol_K=entropy,
    )


def show_equation_of_state(report: Report, state, potential) -> None:
    """Pressure and bulk modulus at the alloy's volume, and the volume that minimises F."""
    from jaxalloy.electrons.opw import OptimisedOPW
    from jaxalloy.thermodynamics.equation_of_state import equation_of_state

    norm = ""
    if isinstance(potential, OptimisedOPW):
        potential = dataclasses.replace(potential, hole_norm="kept")
        norm = ", hole norm kept"
    for extent in EXTENTS:
        found = equation_of_state(state.alloy, potential, state.constraint, extent)
        if bool(found.converged):
            break
    else:
        raise NoResultError(
            f"equation of state: the bound has no minimum at all volumes from {EXTENTS[-1][0]} to {EXTENTS[-1][1]} of "
            "this one; try another constraint, potential or volume"
        )
    volume = state.alloy.volume
    numbers = {
        "pressure_GPa": RYDBERG_PER_BOHR3_IN_GPA * float(found.pressure(volume)),
        "bulk_modulus_GPa": RYDBERG_PER_BOHR3_IN_GPA * float(found.bulk_modulus(volume)),
        "equilibrium_volume_bohr3": float(found.equilibrium_volume()),
    }
    best = numbers["equilibrium_volume_bohr3"]
    unstable = "; negative: unstable at this volume" if numbers["bulk_modulus_GPa"] < 0 else ""
    share = f"bohr^3 per atom, {best / float(volume):.2f} of this volume"
    report.table(
        f"equation of state{norm}",
        [
            ("pressure here", f"{numbers['pressure_GPa']:.2f}", "GPa; measured: about 0"),
            ("bulk modulus here", f"{numbers['bulk_modulus_GPa']:.1f}", f"GPa, isothermal{unstable}"),
            (
                "volume of least F",
                f"{best:.1f}" if best == best else "-",
                share if best == best else f"none from {extent[0]} to {extent[1]} of this volume",
            ),
        ],
    )
    report.record(**numbers)
