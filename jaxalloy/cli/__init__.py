"""The command line: parse, call, print, plot, exit code."""
