"""The chemical elements: what is tabulated, and where each number comes from."""
