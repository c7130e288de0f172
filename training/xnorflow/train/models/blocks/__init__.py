"""Parts of residual binary networks, one subject a file; ``residual`` puts them together."""
