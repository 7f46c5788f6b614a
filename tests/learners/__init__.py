"""Tests of `errsrc.learners`."""
