"""What someone else has: a law, a setting and a learner of their own, made of errsrc's public parts."""
