"""Arguments that are refused."""

import numpy as np
import pytest

from errsrc.theory import (
    exponents,
    kernel_regression,
    least_squares,
    memorising,
    memorising_zipf,
    random_features,
)

E, C = [1.0, 0.5], [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernel_regression(0, E, C), "'n' parameter of kernel_regression must be .* > 0. Got 0.0"),
        (lambda: kernel_regression(np.nan, E, C), "'n' parameter"),
        (lambda: kernel_regression(3, [1.0, -1.0], C), "'eigenvalues' .* >= 0. Got -1.0"),
        (lambda: kernel_regression(3, [0.0, 0.0], C), r"'eigenvalues' .* \(M,\), one of them > 0"),
        (lambda: kernel_regression(3, [E], C), r"'eigenvalues' .* \(M,\)"),
        (lambda: kernel_regression(3, [], []), "'eigenvalues'"),
        (lambda: kernel_regression(3, E, [1.0]), r"'target' .* shape \(2,\).* Got <shape \(1,\)>"),
        (lambda: kernel_regression(3, E, [1.0, np.inf]), "'target' .* Got inf"),
        (lambda: kernel_regression(3, E, C, ridge=-1.0), "'ridge' .* >= 0. Got -1.0"),
        (lambda: kernel_regression(3, E, C, noise=np.nan), "'noise'"),
        (lambda: random_features(3, -2, E, C), "'m' parameter of random_features"),
        (lambda: random_features([3, 4], [1, 2, 3], E, C), r"'m' .* broadcasts with n's \(2,\)"),
        (lambda: random_features(3, 2, E, C, noise=-1), "'noise'"),
        (lambda: least_squares(2.5, 4), "'n' parameter of least_squares must be integers >= 1. Got 2.5"),
        (lambda: least_squares(2, 0), "'dim'"),
        (lambda: least_squares(2, 4, outside=-1.0), "'outside'"),
        (lambda: memorising(2, [0.5, 0.4]), r"'probabilities' .* sum 1. Got <shape \(2,\), sum 0.9>"),
        (lambda: memorising(0, [1.0]), "'n' parameter of memorising"),
        (lambda: memorising_zipf(3, 0.0), "'decay' parameter of memorising_zipf"),
        (lambda: exponents.ridgeless(1.0, 2.0), "'eigenvalue_decay' parameter of ridgeless .* > 1"),
        (lambda: exponents.optimal_ridge(2.0, 0.5), "'target_decay' parameter of optimal_ridge"),
        (lambda: exponents.gaussian_process(0.0, 1.0, 1), "'teacher_nu'"),
        (lambda: exponents.local_fit(0, 1), "'dim'"),
        (lambda: exponents.local_fit(1, 0, smoothness=0.0), "'smoothness'"),
        (lambda: exponents.zipf(-1.0), "'decay'"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", ["ab", [[1.0], [1.0, 2.0]], [True, False], None])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(TypeError, match="'eigenvalues' parameter of kernel_regression must be an array"):
        kernel_regression(3, bad, C)
