"""Annealing of a simulated Cu50Zr50 glass at 500 and 700 K: which law of relaxation do the data prefer?

Enthalpy every picosecond over holds of 2 ns (steps of 1 fs, eV/atom; the ramps are left away). Expected: nothing at
500 K; at 700 K an exponential of about 1.2 +- 0.4 meV/atom, and no more can be told. The folder of the data is named by
JAXALLOY_DATA. The enthalpy is taken as recorded, and also freed of what follows the thermostat's temperature.
"""

import functools

import numpy as np

from experiments.data import data
from experiments.report import Row, run
from jaxalloy.dataset_relaxation import annealing_dataset
from jaxalloy.fitting.relaxation import AnnealingCurve, compare
from jaxalloy.plot_relaxation import annealing

TITLE = "Simulated Cu50Zr50: annealing at 500 and 700 K"

LAWS = ("em12", "kww", "age", "tnm", "exponential", "constant")
HOLD = 2000
"""Rows; the hold begins two rows after the temperature has come up."""


def read_hold(temperature, thermostat=False):
    """The anneal at one temperature. thermostat: subtract the regression on the instantaneous temperature."""
    step, kelvin, _, energy = np.loadtxt(data("cu50zr50_anneal_simulated", f"anneal_{temperature}.dat")).T
    begin = int(np.argmax(kelvin > temperature - 5.0)) + 2
    rows = slice(begin, begin + HOLD)
    time, value = (step[rows] - step[begin]) * 1e-6, 1e3 * energy[rows]
    if thermostat:
        away = kelvin[rows] - kelvin[rows].mean()
        value = value - away * (away @ (value - value.mean())) / (away @ away)
    return AnnealingCurve(
        time, value, None, float(temperature), "ns", "meV/atom", "enthalpy", f"Cu50Zr50 {temperature} K"
    )


@functools.cache
def comparison(temperature, thermostat=False):
    return compare(read_hold(temperature, thermostat), LAWS)


def rows():
    out = []
    for temperature in (500, 700):
        for thermostat in (False, True):
            found = comparison(temperature, thermostat)
            fit = found.fits["exponential"]
            kind = "thermostat regressed out" if thermostat else "as recorded"
            print(f"{temperature} K, {kind}: worth {found.effective_points:.0f} of {HOLD} points")
            for name, law in found.fits.items():
                above, bic = found.aicc[name] - min(found.aicc.values()), found.bic[name] - min(found.bic.values())
                told = f"over the data {law.relaxed:+.2f} +- {law.relaxed_error:.2f} meV/atom"
                print(f"   {name:12} AICc +{above:5.2f}  BIC +{bic:5.2f}  {told}")
            print(f"   {found.verdict}")
            if temperature == 500:
                out.append(Row(f"500 K, {kind}: no relaxation", "yes", not found.detected))
                continue
            out.append(Row(f"700 K, {kind}: a relaxation", "yes", bool(found.detected)))
            out.append(Row("   exponential preferred", "yes", found.preferred == "exponential"))
            others = set(found.indistinguishable) >= {"exponential", "kww", "age"}
            out.append(Row("   no more can be told", "yes", others, note=", ".join(found.indistinguishable)))
            note = f"+- {fit.relaxed_error:.2f} over the 2 ns, expected +- 0.4 from the same data cut otherwise"
            slack = np.hypot(0.4, fit.relaxed_error)
            out.append(Row("   relaxed, meV/atom", "1.2", -fit.relaxed, slack=slack, note=note))
    return out


def draw(path):
    annealing([annealing_dataset(comparison(temperature)) for temperature in (500, 700)]).savefig(path, dpi=120)


if __name__ == "__main__":
    run("egorushkin1993.copper_zirconium")
