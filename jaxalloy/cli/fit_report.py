"""What `jaxalloy fit` prints, and the same as a JSON object."""

import math
from typing import Any

from jaxalloy.cli.report import Report

MRY = {"epsilon": 1e-3}
"""Units of the command line in those of the library, where they differ."""


def say_data(report: Report, data, alloy) -> None:
    """What was read, and whether its normalisation can be right."""
    from jaxalloy.constants import BOHR_IN_ANGSTROM
    from jaxalloy.dataset import describe
    from jaxalloy.fitting.diagnostics import normalisation
    from jaxalloy.scattering.measured import KINDS

    A, B = alloy.symbols
    c = float(alloy.concentration)
    report.line(
        f"{A} {1 - c:.4g}, {B} {c:.4g}; {float(alloy.volume):.2f} bohr^3 per atom ({alloy.volume_source}), "
        f"{float(alloy.temperature):g} K"
    )
    records = []
    for one in data:
        check, own = normalisation(one, alloy), alloy if one.alloy is None else one.alloy
        q = one.q / BOHR_IN_ANGSTROM
        known = "errors given" if one.errors is not None else "no errors"
        rows = [
            ("points", f"{one.q.size}", f"q = {float(q[0]):.3g} to {float(q[-1]):.3g} 1/angstrom; {known}"),
            ("quantity", "", f"{', '.join(one.names)}: {KINDS[one.kind]}"),
            ("state", "", f"{float(own.temperature):g} K, {float(own.volume):.2f} bohr^3 per atom"),
            ("probe", "", "none (partials)" if one.probe is None else describe(one.probe)),
            ("highest point", f"{check.peak / BOHR_IN_ANGSTROM:.3g}", "1/angstrom"),
            ("mean at large q", f"{check.large_q:.4f}", "1 if normalised"),
        ]
        if math.isfinite(check.density_ratio):
            rows.append(("small-R slope", f"{check.density_ratio:.2f}", "of that of the density; 1 if normalised"))
        rows.append(("small-R residue", f"{check.core_level:.3f}", "of the first peak over R; 0 if normalised"))
        report.table(one.name, rows)
        if one.is_composite and abs(check.large_q - 1) > 0.1:
            report.warn(
                f"{one.name}: S is {check.large_q:.3f} at large q, not 1; scale and level have to make up for it"
            )
        if math.isfinite(check.density_ratio) and not 0.6 < check.density_ratio < 1.4:
            report.warn(
                f"{one.name}: the small-R transform belongs to {check.density_ratio:.2f} times the density given"
            )
        records.append(
            {
                "name": one.name,
                "points": one.q.size,
                "q_range_per_angstrom": [float(q[0]), float(q[-1])],
                "quantity": one.kind,
                "S_at_large_q": check.large_q,
                "small_R_slope": check.density_ratio,
                "small_R_residue": check.core_level,
                "peak_per_angstrom": check.peak / BOHR_IN_ANGSTROM,
            }
        )
    report.record(
        alloy=f"{A}{1 - c:.6g}{B}{c:.6g}",
        temperature_K=float(alloy.temperature),
        volume_bohr3=float(alloy.volume),
        data=records,
    )


def say_result(report: Report, result) -> None:
    """The table of parameters, correlations, and the diagnostics."""
    rows = []
    for name, e in result.estimates.items():
        factor, unit = _shown(e.unit)
        hit = "AT BOUND" if e.at_bound else ""
        verdict = "" if not (e.fitted or e.note) else "determined" if e.determined else "NOT determined"
        remark = ", ".join(part for part in (unit, hit, verdict, e.note) if part and part != "1")
        sd = f" ± {factor * e.sd:.2g}" if e.sd else ""
        rows.append((name, f"{factor * e.value:.5g}{sd}", remark))
    report.table("parameter | value ± standard deviation | bound hit? determined?", rows)
    report.line("correlations (columns in the order of the rows)")
    for name, row in zip(result.correlated, result.correlation, strict=True):
        report.line(f"  {name:<13}" + " ".join(f"{x:6.2f}" for x in row))
    chance, score = result.correlation_of_residuals, result.score
    quality = [("rms of the residuals", f"{result.rms:.4g}", "first curve")]
    if result.chi2 is not None:
        quality.insert(0, ("chi^2/dof", f"{result.chi2:.1f}/{result.dof} = {result.chi2 / result.dof:.3f}", ""))
    quality.append(
        ("autocorrelation", f"{chance.lag_one:.2f}", f"of neighbours; {chance.time:.1f} points count as one")
    )
    if score is not None:
        quality.append(("soft-core test", f"{score.z:.1f}", "standard deviations; above 3 use --softness"))
    report.table(f"quality ({result.starts} starts, {result.steps} steps)", quality)
    if result.null is not None:
        limits = ", ".join(
            f"{1e3 * x:.2g} mRy at kappa = {k:g}"
            for k, x in zip(result.null.kappas, result.null.epsilon_at, strict=True)
        )
        report.line(
            f"no chemical order is detected: |y| < {result.null.y:.3g}, |h_CC| at contact < "
            f"{result.null.h_cc_contact:.3g}, |epsilon| < {limits} (95 %)"
        )
    for warning in result.warnings:
        report.warn(warning)
    report.record(**as_json(result))


def as_json(result) -> dict[str, Any]:
    """The result under the names of the JSON object."""
    names = {"sigma": "sigma_bohr", "epsilon": "epsilon_mRy", "kappa": "kappa_per_bohr", "softness": "softness_bohr"}
    names |= {"resolution": "resolution_per_bohr", "ordering_enthalpy": "ordering_enthalpy_mRy"}
    parameters = {}
    for name, e in result.estimates.items():
        key = names.get(name, name)
        factor = 1e3 if key.endswith("_mRy") else 1.0
        parameters[key] = {
            "value": factor * e.value,
            "sd": factor * e.sd,
            "determined": e.determined,
            "fitted": e.fitted,
            "at_bound": e.at_bound,
            "note": e.note,
        }
    null = result.null
    chance, score = result.correlation_of_residuals, result.score
    return {
        "parameters": parameters,
        "correlation": {"names": list(result.correlated), "matrix": result.correlation.tolist()},
        "chi2": result.chi2,
        "dof": result.dof,
        "rms": result.rms,
        "noise": result.noise,
        "autocorrelation": {"lag_one": chance.lag_one, "time": chance.time, "inflation": result.inflation},
        "soft_core_test": None if score is None else {"b_squared_bohr2": score.b_squared, "sd": score.sd, "z": score.z},
        "null_alloy": None
        if null is None
        else {
            "y_below": null.y,
            "h_cc_contact_below": null.h_cc_contact,
            "epsilon_mRy_below": [1e3 * x for x in null.epsilon_at],
            "at_kappa_per_bohr": list(null.kappas),
        },
        "converged": result.converged,
        "starts": result.starts,
        "steps": result.steps,
        "warnings": list(result.warnings),
    }


def say_profiles(report: Report, profiles) -> None:
    """Intervals from profiles."""
    rows, records = [], {}
    for p in profiles:
        factor = 1 / MRY.get(p.name, 1.0)
        low, high, low_95, high_95 = (factor * x for x in (p.low, p.high, p.low_95, p.high_95))
        rows.append((p.name, f"{low:.4g} ... {high:.4g}", f"68 %; 95 %: {low_95:.4g} ... {high_95:.4g}"))
        records[p.name] = {"low_68": low, "high_68": high, "low_95": low_95, "high_95": high_95}
    if rows:
        report.table("profile likelihood", rows)
        report.record(profiles=records)


def say_posterior(report: Report, found) -> None:
    """Means, standard deviations and what the chains say about themselves."""
    rows = []
    for s in found.summary:
        factor, unit = _shown(s.unit)
        rows.append(
            (
                s.name,
                f"{factor * s.mean:.5g} ± {factor * s.sd:.2g}",
                f"{unit}; R-hat {s.r_hat:.3f}, {s.ess:.0f} effective samples",
            )
        )
    report.table("posterior", rows)
    worst, fewest = max(s.r_hat for s in found.summary), min(s.ess for s in found.summary)
    if not (worst < 1.01 and fewest > 400):
        report.warn(f"the chains do not agree yet: R-hat up to {worst:.3f}, {fewest:.0f} effective samples at least")
    if found.divergences:
        report.warn(f"{found.divergences} divergent steps: the sampler missed part of the posterior")
    report.record(posterior={s.name: s._asdict() for s in found.summary}, posterior_divergences=found.divergences)


def _shown(unit: str) -> tuple[float, str]:
    """Energies are shown in mRy."""
    return (1e3, unit.replace("Ry", "mRy")) if unit.startswith("Ry") else (1.0, unit)
