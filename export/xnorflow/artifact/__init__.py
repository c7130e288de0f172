"""The contract between stages: what each one writes and the next one reads. Needs numpy only."""
