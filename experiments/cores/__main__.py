"""Write the table of frozen cores: `OMP_NUM_THREADS=1 python -m experiments.cores [--out FILE] [SYMBOL ...]`.

Two minutes for all. The matrices are small; more than one BLAS thread makes it slower.

Why an own solver. Looked at before writing it: dftatom and featom (radial Schrödinger, Dirac and Kohn-Sham, Fortran,
free neutral atoms), atompaw, oncvpsp and APE (pseudopotential generators, Fortran or C programs, free atoms), ratom
(C++, free atoms), pyscf (molecules in Gaussians, no scalar-relativistic radial grid), atoMEC (average atoms, thermal,
non-relativistic). None takes a core without its valence electrons in an external uniform gas, none has this
scalar-relativistic equation together with closed-shell Hartree-Fock, so the three equations are solved here, in
B-splines from SciPy. The free atoms these libraries do solve are the checks in tests/elements/test_cores.py.
"""

import argparse
import pathlib
import time

import numpy as np

from experiments.cores.table import ELEMENTS, KINDS, frozen_core, packed

SHIPPED = pathlib.Path(__file__).parents[2] / "jaxalloy" / "elements" / "cores.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description="Solve and tabulate the frozen cores")
    parser.add_argument("--out", type=pathlib.Path, default=SHIPPED)
    parser.add_argument("symbols", nargs="*", default=list(ELEMENTS))
    arguments = parser.parse_args()
    entries: dict[str, dict[str, np.ndarray]] = {}
    for symbol in arguments.symbols or ELEMENTS:
        started = time.perf_counter()
        for kind in KINDS:
            entries[f"{symbol}/{kind}"] = frozen_core(symbol, kind)
        high = entries[f"{symbol}/scalar-relativistic"]["densities"][1]
        print(f"{symbol:2s} {time.perf_counter() - started:5.1f} s, gas densities up to {high:.3f}", flush=True)
    np.savez_compressed(arguments.out, allow_pickle=False, **packed(entries))
    print(f"wrote {arguments.out} ({arguments.out.stat().st_size / 1000:.0f} kB)")


main()
