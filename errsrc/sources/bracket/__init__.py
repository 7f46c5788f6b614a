"""Bounds on the uncertainty and the realizability of network teachers, whose posterior has no closed form."""
