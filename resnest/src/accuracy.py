"""Accuracy as counts: right answers and images, added over batches and over devices."""

import time

import mindspore as ms
import numpy as np
from mindspore import nn, ops


class SumOverDevices(nn.Cell):
    """The sum of a tensor over all processes of a distributed run."""

    def __init__(self):
        super().__init__()
        self.all_reduce = ops.AllReduce(ops.ReduceOp.SUM)

    def construct(self, x):
        return self.all_reduce(x)


def count_correct(predict, dataset, batch_size):
    """([top-1 hits, top-5 hits, images], images a second) of `predict` over the batches of
    `dataset`.

    `predict` maps float32 images (batch_size, 3, H, W) to logits, both NumPy. A smaller batch is
    filled up with zeros, so that one compiled graph serves all. The speed leaves out the first
    batch, in which that graph is compiled.
    """
    counts, first = np.zeros(3, np.int64), None
    for images, labels in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        filled = np.zeros((batch_size, *images.shape[1:]), np.float32)
        filled[: len(images)] = images
        logits = predict(filled)[: len(images)]
        hits = np.argsort(-logits, axis=1, kind="stable")[:, :5] == labels[:, None]
        counts += [hits[:, 0].sum(), hits.sum(), len(labels)]
        first = first or (time.perf_counter(), len(labels))
    seconds = time.perf_counter() - first[0]
    return counts.tolist(), (counts[2] - first[1]) / seconds


def network_predict(network):
    """`predict` for count_correct from a Cell."""
    return lambda images: network(ms.Tensor(images)).astype(ms.float32).asnumpy()


def sum_counts(counts, group_size):
    """`counts` summed over the devices of a distributed run."""
    if group_size == 1:
        return counts
    total = SumOverDevices()(ms.Tensor(counts, ms.float32))  # exact up to 2 ** 24
    return [int(count) for count in total.asnumpy()]


def log_accuracy(logger, counts, images_per_second, group_size=1):
    """Log speed and accuracies in the documented words, from this device's counts."""
    total = sum_counts(counts, group_size)
    logger.info("Inference Performance: %.2f img/sec", images_per_second * group_size)
    logger.info("before results=%s", [[count] for count in counts])
    logger.info("after results=[%s]", ",".join(f"[{count}]" for count in total))
    for name, correct in zip(("top1", "top5"), total):
        logger.info(
            "after allreduce eval: %s_correct=%d, tot=%d,acc=%.2f%%(%s)",
            name,
            correct,
            total[2],
            100 * correct / total[2],
            name.upper(),
        )
