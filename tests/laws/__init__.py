"""Tests of `errsrc.laws`."""
