"""Tests of `errsrc.sources`."""
