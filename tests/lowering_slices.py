"""Cases of lower_mindir.py: slices, picked entries and other shapes."""

import mindspore as ms
import numpy as np
from mindspore import ops

from lowering_cases import (
    BATCH,
    IMAGE,
    MASK,
    OTHER,
    expression,
    values,
)

CUBE, DEEP = values(2, 3, 5), values(1, 2, 3, 4, 5)
WHOLE = values(3, 6, low=-9, high=9, dtype=np.int32)


@expression(CUBE)
def slices_from_the_end(x):
    return x[:, :, -2:], x[:, -1], x[:, 1:-1, ::2], x[..., -3:-1]


@expression(IMAGE)
def slices_of_images(x):
    return x[:, ::2, 1::2, 1::3], x[:, :, ::2, ::2] + x[:, :, 1::2, ::2]


@expression(CUBE)
def slice_reversed(x):
    return x[:, ::-1]


@expression(CUBE)
def slice_reversed_in_steps(x):
    return x[::-1, 2:0:-1, ::-2], x[:, :, -2::-3]


@expression(CUBE)
def flips(x):
    return ops.flip(x, (1,)), ops.flip(x, (0, 2))


@expression(CUBE)
def new_axes(x):
    return x[None], x[:, None, :, None], x[0, None]


@expression(CUBE)
def single_entries(x):
    return x[1, 2, 3], x[0], x[:, 2], x[..., 4]


@expression(CUBE)
def picked_by_constants(x):
    return x[:, ms.Tensor(np.array([2, 0], np.int32))], x[:, [0, 2, -1]]


@expression(CUBE)
def gathered_from_the_end(x):
    return ops.gather(x, ms.Tensor(np.array([-1, 0, -2], np.int32)), 1), ops.gather(
        x, ms.Tensor(np.array([-1], np.int32)), -1
    )


@expression(CUBE, np.array([[-1, 0], [1, 2]], np.int32))
def gathered_by_matrix(x, i):
    return ops.gather(x, i, 1)


@expression(CUBE, np.array(1, np.int32))
def gathered_by_scalar(x, i):
    return ops.gather(x, i, 1)


@expression(BATCH, np.array([[0, -1], [2, 3], [1, 5]], np.int32))
def gathered_elements(x, i):
    return ops.gather_elements(x, 1, i)


@expression(BATCH)
def set_column(x):
    y = x * 1.0
    y[:, 0] = 5.0
    return y


@expression(BATCH)
def set_window(x):
    y = ops.zeros_like(x)
    y[0:2, 1:3] = x[0:2, 1:3]
    return y


@expression(BATCH, np.array([[0], [2]], np.int32), values(2, 6))
def scatter_update(x, i, y):
    return ops.tensor_scatter_update(x, i, y)


@expression(BATCH, np.array([[0], [2]], np.int32), values(2, 6))
def scatter_add(x, i, y):
    return ops.tensor_scatter_add(x, i, y)


@expression(CUBE)
def tiled_to_a_higher_rank(x):
    return ops.tile(x, (2, 1, 1, 3)), x.tile((1, 2, 2))


@expression(CUBE)
def repeated(x):
    return ops.repeat_interleave(x, 2, 1), ops.broadcast_to(x, (4, 2, 3, 5))


@expression(CUBE)
def split_unevenly(x):
    return ops.split(x, [1, 4], 2)


@expression(IMAGE)
def second_piece(x):
    return ops.split(x, 2, 1)[1], x.unbind(1)[2], ops.unstack(x, 0)[1]


@expression(values(2, 1, 3, 1, 4))
def squeezed(x):
    return x.squeeze(), x.squeeze(1), x.squeeze((1, 3)), ops.squeeze(x, -2)


@expression(DEEP)
def transposed_5d(x):
    return x.transpose(0, 4, 1, 2, 3), x.swapaxes(1, 4), x.permute(4, 3, 2, 1, 0)


@expression(values(1, 2, 2, 3, 4, 5))
def transposed_6d(x):
    return x.transpose(0, 1, 4, 2, 5, 3)


@expression(CUBE)
def triangles(x):
    return ops.tril(x), ops.triu(x)


@expression(CUBE)
def identity_and_line(x):
    return ops.matmul(x, ops.eye(5, 5, ms.float32)), x * ops.linspace(0.0, 1.0, 5)


@expression(WHOLE)
def one_hot_integers(x):
    return ops.one_hot(ops.abs(x), 10), ops.one_hot(ops.abs(x), 10, ms.Tensor(1.0), ms.Tensor(0.0))


@expression(CUBE)
def reduced_from_the_end(x):
    return x.mean(-1), x.sum((-1, 0)), ops.amax(x, -2), ops.amin(x, 0), x.mean((0, -1), True)


@expression(DEEP)
def reduced_5d(x):
    return x.mean((2, 3, 4)), x.sum((1, 3)), ops.amax(x, 4), ops.amin(x, (0, 2), True)


@expression(CUBE)
def deviations(x):
    return x.var(1), x.std(2), ops.var(x, 1, True), ops.std(x, (1, 2), keepdims=True)


@expression(CUBE)
def norms_of_all_kinds(x):
    return (
        ops.norm(x),
        ops.norm(x, dim=1),
        ops.norm(x, 1, 2),
        ops.norm(x, float("inf"), 1),
        ops.L2Normalize(1)(x),
    )


@expression(BATCH, OTHER)
def cosines(x, y):
    return ops.cosine_similarity(x, y)


@expression(MASK)
def any_and_all(x):
    return x.all(1), x.any(0), x.all(), x.any()


@expression(CUBE)
def smallest_places(x):
    return x.argmin(-1), ops.argmin(x, 1), ops.argmax(x, 1, True)


@expression(CUBE)
def largest_of_any_axis(x):
    return ops.topk(x, 2, 1)


@expression(CUBE)
def smallest_two(x):
    return ops.topk(x, 2, -1, False)


@expression(CUBE)
def running_sums(x):
    return ops.cumsum(x, 0), ops.cumsum(x, 1), ops.cumsum(x, -1)
