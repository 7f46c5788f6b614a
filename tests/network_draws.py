"""Teachers and data of network settings, for the tests of brackets."""

import functools

from errsrc.rng import generator


def draws(setting, n, count=4, points=16, seed=0):
    """Return teachers, inputs, labels and points of a setting."""
    teachers, xs, ys, at = [], [], [], []
    for d in range(count):
        rng = functools.partial(generator, seed, "draw", d)
        teachers.append(setting.teacher(rng("teacher")))
        xs.append(setting.inputs(n, rng("inputs")))
        ys.append(setting.channel.label(teachers[-1](xs[-1]), rng("labels")))
        at.append(setting.fresh(points, rng("points")))
    return teachers, xs, ys, at
