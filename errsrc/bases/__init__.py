"""Bases: orthonormal functions on an input space, whose spans are the bands of settings and learners."""

from errsrc.bases.fourier import fourier as fourier
from errsrc.bases.kernels import KERNELS as KERNELS
from errsrc.bases.kernels import kernel as kernel
