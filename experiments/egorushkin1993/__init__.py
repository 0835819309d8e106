"""Figures and statements of Egorushkin & Mel'nikova, JETP 76, 265 (1993)."""
