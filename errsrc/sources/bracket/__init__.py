"""Bounds on terms that have no closed form: the uncertainty and the realizability of network teachers."""
