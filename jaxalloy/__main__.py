"""`python -m jaxalloy` is the command `jaxalloy`."""

from jaxalloy.cli.main import main

raise SystemExit(main())
