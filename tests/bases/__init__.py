"""Tests of `errsrc.bases`."""
