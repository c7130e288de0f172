"""The path as a whole: command line, experiment files, run-all, doctor and report."""
