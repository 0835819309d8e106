"""Figures and tables of the two papers, side by side with ours, and the first steps beyond them."""

CHAPTERS = {
    "Pasturel, Hafner & Hicter, Phys. Rev. B 32, 5009 (1985)": [
        "pasturel1985.table1",
        "pasturel1985.figure1",
        "pasturel1985.figure2",
        "pasturel1985.figures3_4",
        "pasturel1985.figures5_6",
        "pasturel1985.figure7",
        "pasturel1985.free_minima",
        "pasturel1985.figures8_10",
        "pasturel1985.figure11",
        "pasturel1985.figure12",
        "pasturel1985.table2",
        "pasturel1985.table2_entropies",
        "pasturel1985.figure13",
    ],
    "Egorushkin & Mel'nikova, JETP 76, 265 (1993)": [
        "egorushkin1993.figure1",
        "egorushkin1993.equations",
        "egorushkin1993.phase_diagram",
        "egorushkin1993.two_condensates",
        "egorushkin1993.hierarchy",
        "egorushkin1993.stretched_exponential",
        "egorushkin1993.copper_zirconium",
        "egorushkin1993.model_power",
    ],
    "From measurements": [
        "fitting.lithium_lead",
        "fitting.liquid_3d_metals",
        "fitting.composition_series",
    ],
    "Beyond both papers": [
        "beyond.mean_free_path",
        "beyond.inversion_range",
        "beyond.derivatives",
        "beyond.core_levels",
        "beyond.alkali_lead",
    ],
}
"""Every experiment by chapter, in the order of the page."""

LONG = {"egorushkin1993.model_power": "2 minutes"}
"""Run by name only, and how long it takes."""
