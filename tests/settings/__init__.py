"""Tests of `errsrc.settings`."""
