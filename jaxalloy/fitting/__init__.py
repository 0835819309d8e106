"""Inverse problems: from what was measured to parameters with error bars."""
