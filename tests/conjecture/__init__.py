"""Tests of `errsrc.conjecture`."""
