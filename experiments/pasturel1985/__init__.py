"""Figures and tables of Pasturel, Hafner and Hicter, Phys. Rev. B 32, 5009 (1985)."""
