"""errsrc: where a learner's generalization error comes from, and what would remove it."""

__version__ = "0.1.0"
