"""errsrc: where a learner's generalization error comes from, and what would remove it."""
