"""Tests of `errsrc.fitting`."""
