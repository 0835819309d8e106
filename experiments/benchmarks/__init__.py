"""What jaxalloy costs: each script measures one thing against a peer, in the same run, and writes JSON."""
