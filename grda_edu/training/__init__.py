"""Training networks: the loop, what a run leaves behind, grids of runs, and the search for c."""
