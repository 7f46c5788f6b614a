"""Tests of `errsrc.theory`."""
