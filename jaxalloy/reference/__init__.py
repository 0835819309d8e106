"""The reference liquid: hard spheres with a Yukawa ordering potential."""
