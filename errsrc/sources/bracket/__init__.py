"""Bounds of the terms that have no closed form: uncertainty and realizability for network teachers."""
