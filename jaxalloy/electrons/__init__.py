"""Electron gas, screening, pseudopotentials, and the interactions they give."""
