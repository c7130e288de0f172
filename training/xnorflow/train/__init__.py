"""Train: a data set and one TOML table in, a checkpoint of a 1-bit network out."""
