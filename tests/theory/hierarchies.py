"""Languages of the random hierarchy model (Cagnetta et al. 2024, arXiv 2307.02129) with exact statistics."""

from __future__ import annotations

import numpy as np


class Hierarchy:
    """Binary trees of symbols.  Each symbol of a level has m pairs of symbols below it, equally probable.

    No two symbols of a level share a pair.  The root is uniform, and a document is the leaves of one tree.
    In the pairs of a level, each symbol is the first symbol of m pairs and the second symbol of m pairs.
    Therefore all tokens are uniform.
    """

    def __init__(self, v: int, m: int, levels: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.v, self.m, self.levels = v, m, levels
        self.rules = []  # the root's first; the pair (b, c) is the number b v + c
        for _ in range(levels):
            first, second = np.arange(v), rng.permutation(v)
            pairs = np.concatenate([first * v + np.roll(second, shift) for shift in range(m)])
            self.rules.append(rng.permutation(pairs).reshape(v, m))
        self.pairs = []  # probability of the pair (b, c) below a, (v, v, v)
        for rule in self.rules:
            pair = np.zeros((v, v * v))
            np.put_along_axis(pair, rule, 1 / m, 1)
            self.pairs.append(pair.reshape(v, v, v))

    @property
    def entropy_rate(self) -> float:
        """The entropy of a document, divided by its length."""
        return (np.log(self.v) + (2**self.levels - 1) * np.log(self.m)) / 2**self.levels

    def documents(self, count: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Return the leaves of `count` random trees."""
        symbols = rng.integers(self.v, size=(count, 1))
        for rule in self.rules:
            pair = rule[symbols, rng.integers(self.m, size=symbols.shape)]
            symbols = np.stack([pair // self.v, pair % self.v], -1).reshape(count, -1)
        return list(symbols)

    def windows(self, length: int) -> np.ndarray:
        """Return the probability of `length` successive tokens, averaged over their place, (v^length,)."""
        root = np.full(self.v, 1 / self.v)
        places = range(2**self.levels - length + 1)
        return np.mean([root @ self._window(0, i, i + length) for i in places], axis=0)

    def _window(self, level: int, low: int, high: int) -> np.ndarray:
        """Return the probability of the leaves from low to high below each symbol, (v, v^(high - low))."""
        if level == self.levels:
            return np.eye(self.v) if high > low else np.ones((self.v, 1))
        half = 2 ** (self.levels - level - 1)
        sides = [(min(max(low - start, 0), half), min(max(high - start, 0), half)) for start in (0, half)]
        left, right = (
            self._window(level + 1, *side) if side[1] > side[0] else np.ones((self.v, 1)) for side in sides
        )
        return np.einsum("abc,bx,cy->axy", self.pairs[level], left, right).reshape(self.v, -1)

    def entropies(self, orders: int) -> np.ndarray:
        """Return the entropy of the next token given k tokens, for k = 0, 1, ..., orders - 1."""

        def entropy(p: np.ndarray) -> float:
            return -float(p[p > 0] @ np.log(p[p > 0]))

        whole = [self.windows(k + 1) for k in range(orders)]
        return np.array([entropy(p) - entropy(p.reshape(-1, self.v).sum(1)) for p in whole])

    def correlations(self, distances: np.ndarray) -> np.ndarray:
        """Return the norm of the covariance of two tokens at each distance."""
        out = []
        for t in distances:
            joint = np.mean([self._pair(i, i + t) for i in range(2**self.levels - t)], axis=0)
            out.append(np.linalg.norm(joint - np.outer(joint.sum(1), joint.sum(0))))
        return np.array(out)

    def _pair(self, i: int, j: int) -> np.ndarray:
        """Return the joint probability of the leaves i and j, (v, v)."""
        at, level = np.full(self.v, 1 / self.v), 0
        for level, (a, b) in enumerate(zip(self._path(i), self._path(j), strict=True)):
            if a != b:
                joint = np.einsum("a,abc->bc", at, self.pairs[level])
                break
            at = at @ self.pairs[level].sum(2 - a)
        down = [np.eye(self.v), np.eye(self.v)]
        for side, leaf in enumerate((i, j)):
            for lower in range(level + 1, self.levels):
                down[side] = down[side] @ self.pairs[lower].sum(2 - self._path(leaf)[lower])
        return down[0].T @ joint @ down[1]

    def _path(self, leaf: int) -> list[int]:
        """Return 0 for left and 1 for right, from the root to a leaf."""
        return [leaf >> bit & 1 for bit in reversed(range(self.levels))]


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return minus the slope of the line through the logarithms."""
    return -float(np.polyfit(np.log(x), np.log(y), 1)[0])
