"""Tests of `errsrc.curves`."""
