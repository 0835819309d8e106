"""Reproductions and measurements: each script computes, draws into experiments/out/ and prints."""
