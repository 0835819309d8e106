"""From partial structure factors to what a diffractometer measures."""
