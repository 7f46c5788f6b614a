"""A smaller network's weights as those of a larger one: the same function, bit by bit."""

import pytest
import torch
from amounts import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errsrc.nets import CNN, MLP, embed, embeds, same_function
from errsrc.nets.embedding import _ordered_outputs

torch.set_num_threads(1)

sizes = st.integers(1, 6)


def drawn(network, seed, members=2, dtype=torch.float64):
    """Weights and biases with no special values."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(members, *shape, generator=generator, dtype=dtype) for shape in network.shapes())


@st.composite
def wider(draw, activations=("relu", "tanh", "gelu", "sine", "linear")):
    """An MLP and one with the same depth and wider hidden layers."""
    outer, hidden = draw(st.tuples(sizes, sizes)), draw(st.lists(sizes, max_size=3))
    more = [size + draw(st.integers(0, 9)) for size in hidden]
    activation = draw(st.sampled_from(activations))
    return tuple(MLP((outer[0], *middle, outer[1]), activation) for middle in (hidden, more))


@st.composite
def deeper(draw):
    """An MLP and a deeper one: layers that carry the inputs, a hidden layer or the outputs on."""
    inputs, outputs, hidden = draw(sizes), draw(sizes), draw(st.lists(sizes, max_size=2))
    activation = draw(st.sampled_from(["relu", "linear"]))
    carried = draw(st.lists(st.integers(0, len(hidden) + 1), min_size=1, max_size=3))
    held = sorted([*carried, *range(1, len(hidden) + 1)])
    needs = [2 * inputs, *hidden, 2 * outputs]
    more = [needs[stage] + draw(st.integers(0, 3)) for stage in held]
    return MLP((inputs, *hidden, outputs), activation), MLP((inputs, *more, outputs), activation)


@pytest.mark.full
@settings(max_examples=examples(60), deadline=None)
@given(st.one_of(wider(), deeper()), st.integers(0, 2**32), st.sampled_from([torch.float32, torch.float64]))
@example((MLP((1, 6, 1, 1, 1), "gelu"), MLP((1, 6, 1, 2, 1), "gelu")), 338, torch.float64)  # strided units
def test_an_embedded_network_computes_the_same_function(pair, seed, dtype):
    small, large = pair
    assert embeds(small, large)
    weights = drawn(small, seed, dtype=dtype)
    embedded = embed(small, weights, large)
    assert all(w.shape == (2, *shape) for w, shape in zip(embedded, large.shapes(), strict=True))
    assert {w.dtype for w in embedded} == {dtype}
    x = torch.randn(7, small.sizes[0], generator=torch.Generator().manual_seed(seed + 1), dtype=dtype)
    assert same_function(small, weights, large, embedded, x).all()
    rounding = 1e-4 if dtype == torch.float32 else 1e-11
    expected = small(weights, x)
    torch.testing.assert_close(
        large(embedded, x), expected, rtol=rounding, atol=rounding * (1 + float(expected.abs().max()))
    )


@settings(max_examples=examples(40), deadline=None)
@given(st.one_of(wider(("relu", "linear")), deeper()), st.integers(0, 2**32))
def test_where_arithmetic_is_exact_the_batched_networks_agree_bit_by_bit(pair, seed):
    """Small integers have no rounding in whatever order a matrix product adds them."""
    small, large = pair
    generator = torch.Generator().manual_seed(seed)

    def whole(*shape):
        return torch.randint(-8, 9, shape, generator=generator).double()

    weights = tuple(whole(3, *shape) for shape in small.shapes())
    x = whole(11, small.sizes[0])
    embedded = embed(small, weights, large)
    assert torch.equal(large(embedded, x), small(weights, x))
    assert same_function(small, weights, large, embedded, x).all()


@settings(max_examples=examples(20), deadline=None)
@given(
    st.integers(4, 9), st.integers(1, 3), st.integers(0, 3), st.sampled_from(["relu", "tanh"]),
    st.integers(0, 2**32),
)  # fmt: skip
def test_an_embedded_cnn_computes_the_same_function(side, width, more, activation, seed):
    sizes = (width, width + more)
    small, large = (CNN(side, size, 3, activation, seed % 3, 1 + seed % 2) for size in sizes)
    assert embeds(small, large)
    weights = drawn(small, seed, dtype=torch.float32)
    embedded = embed(small, weights, large)
    x = torch.randn(5, small.inputs, generator=torch.Generator().manual_seed(seed + 1))
    assert same_function(small, weights, large, embedded, x).all()
    torch.testing.assert_close(large(embedded, x), small(weights, x), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "network",
    [
        MLP((9, 5, 4, 2), "tanh"), MLP((9, 5, 2)), MLP((9, 3)), CNN(7, 2, 3), CNN(5, 2, 3, blocks=2),
        CNN(6, 2, 3, channels=3),
    ],
    ids=str,
)  # fmt: skip
def test_the_certificate_evaluates_the_network_that_is_trained(network):
    """The certificate evaluates the network itself, not another function that both sides share."""
    weights = drawn(network, 3)
    x = torch.randn(6, network.inputs, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    torch.testing.assert_close(_ordered_outputs(network, weights, x).movedim(0, 2), network(weights, x))


@pytest.mark.parametrize("tensor", range(4))
@pytest.mark.parametrize("member", [0, 1])
def test_a_weight_moved_by_some_roundings_fails_its_member(tensor, member):
    small, large = MLP((3, 4, 2), "tanh"), MLP((3, 8, 2), "tanh")
    weights = drawn(small, 0)
    embedded = list(embed(small, weights, large))
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    embedded[tensor] = embedded[tensor].clone()
    moved = embedded[tensor][member].flatten()
    moved[0] *= 1 + 1e-14
    same = same_function(small, weights, large, tuple(embedded), x)
    assert not same[member]
    assert same[1 - member]


def test_a_new_unit_that_is_heard_fails_the_certificate():
    small, large = MLP((3, 4, 2), "tanh"), MLP((3, 5, 2), "tanh")
    weights = drawn(small, 0, members=1)
    embedded = embed(small, weights, large)
    embedded[0][0, 4] = 1.0  # a new unit may be active
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert same_function(small, weights, large, embedded, x).all()
    embedded[2][0, 1, 4] = 1e-13  # but no output may read it
    assert not same_function(small, weights, large, embedded, x).any()


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (MLP((3, 4, 2)), MLP((3, 3, 2))),  # narrower
        (MLP((3, 4, 2)), MLP((2, 4, 2))),  # other inputs
        (MLP((3, 4, 2)), MLP((3, 4, 3))),  # other outputs
        (MLP((3, 4, 2)), MLP((3, 4, 2), "tanh")),  # another activation
        (MLP((3, 4, 2), "tanh"), MLP((3, 4, 4, 2), "tanh")),  # tanh of a value is not the value
        (MLP((3, 4, 2)), MLP((3, 9, 3, 2))),  # a layer too narrow for hidden values and for pairs of outputs
        (MLP((3, 4, 5, 2)), MLP((3, 9, 2))),  # shallower
        (MLP((3, 2)), MLP((3, 5, 2), "tanh")),  # no hidden layer to widen
        (CNN(8, 2, 3), CNN(8, 1, 3)),
        (CNN(8, 2, 3), CNN(9, 2, 3)),
        (CNN(8, 2, 3), CNN(8, 2, 4)),
        (CNN(8, 2, 3), CNN(8, 2, 3, "tanh")),
        (MLP((64, 2, 3)), CNN(8, 2, 3)),
    ],
    ids=str,
)
def test_what_does_not_embed_is_refused_by_name(small, large):
    assert not embeds(small, large)
    with pytest.raises(ValueError, match="'large' parameter of embed must be a network at least as wide"):
        embed(small, drawn(small, 0), large)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (MLP((3, 4, 2)), MLP((3, 9, 4, 2))),  # the outputs as pairs: 4 = 2 x 2
        (MLP((3, 4, 2)), MLP((3, 6, 4, 2))),  # the inputs as pairs, or the hidden layer carried
        (MLP((3, 2)), MLP((3, 4, 4, 4, 2))),  # a linear map in a ReLU network
        (MLP((3, 2), "tanh"), MLP((3, 4, 2))),  # no hidden layer: the activation is never used
        (MLP((3, 2), "tanh"), MLP((3, 2), "relu")),
        (MLP((3, 5, 4, 1)), MLP((3, 5, 5, 4, 2, 1))),
    ],
    ids=str,
)
def test_deeper_networks_embed_wherever_there_is_room(small, large):
    assert embeds(small, large)
    weights = drawn(small, 5)
    x = torch.randn(20, small.sizes[0], generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    assert same_function(small, weights, large, embed(small, weights, large), x).all()
