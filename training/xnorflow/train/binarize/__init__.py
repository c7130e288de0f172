"""Layers of few bits: ``quantizers`` (Brevitas), ``estimators`` of a sign's gradient, weight ``scales``, ``layers``."""
