"""What JAX and its libraries lack, small and in one place."""
