"""Relaxation kinetics of amorphous alloys."""
