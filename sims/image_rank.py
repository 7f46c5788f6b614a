"""Do n real images identify a tanh teacher locally? The rank of the Jacobian on these images decides.

Claim:    A network 784-3-3-10 (P = 2,407), trained on Fashion-MNIST, is locally identified by its logits on n
          images once the Jacobian on these images has as high a rank as on many more images. One image moves
          at most 3 numbers behind the 2,355 weights of the first layer, so n must be at least 785.
Command:  python sims/image_rank.py
Cost:     2.5 minutes of one core
Outcome:  The rank is 603, 1,154, 2,139, 2,402, 2,404 at n = 200, 400, 800, 1,600, 3,200. It is full but for a
          few directions from about twice 785 on. At 3,200 there is a gap of 2.7e3 between singular values (1
          to 1.5 below) (CPU, torch 2.13, 2026-11-25)

A pixel that is the same on all n images has a weight that the unit's bias can replace; such directions are
not counted. A full rank shows local identifiability only: other networks, far away, may agree on all images.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from errsrc.nets import MLP, identifiable_dimension
from errsrc.rng import generator
from errsrc.settings import ImageTeacher

NETWORK = MLP((784, 3, 3, 10), "tanh")
SETTING = ImageTeacher("fashion-mnist", NETWORK, teacher_n=20_000, teacher_steps=1500)


def main() -> None:
    teacher = SETTING.teacher(generator(0, "image rank", "teacher"))
    print(f"P = {NETWORK.parameters:,}")
    print("    n  outputs  pixels that vary  directions   rank  condition  margin  seconds")
    for n in (200, 400, 800, 1600, 3200):
        start = time.perf_counter()
        x = SETTING.inputs(n, generator(0, "image rank", n))
        varying = int((np.ptp(x, axis=0) > 0).sum())
        directions = NETWORK.parameters - NETWORK.sizes[1] * (x.shape[1] - varying)
        found = identifiable_dimension(NETWORK, teacher.weights, torch.from_numpy(x))
        figures = (
            f"{int(found.dimension[0]):5,}  {float(found.condition[0]):9.1g}  {float(found.margin[0]):6.2g}"
        )
        seconds = time.perf_counter() - start
        print(f"{n:5}  {10 * n:7,}  {varying:16}  {directions:10,}  {figures}  {seconds:7.0f}", flush=True)


if __name__ == "__main__":
    main()
