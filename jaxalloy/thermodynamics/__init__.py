"""The free-energy bound, its minimum, and mixing functions."""
