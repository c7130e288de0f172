"""Own passes, one a file, named by an imperative verb."""
