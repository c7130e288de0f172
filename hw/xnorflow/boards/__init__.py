"""The boards that designs are made for: one TOML file each."""
