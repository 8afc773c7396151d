"""What is measured on held-out images: the loss and the accuracies."""

from mindspore.train import Metric, TopKCategoricalAccuracy

from src.loss import CrossEntropySmooth


class MeanLoss(Metric):
    """The mean loss over all images.

    MindSpore's `Loss` is the mean over batches, of which the last may be smaller.
    """

    def __init__(self, smooth_factor, class_num):
        super().__init__()
        self.loss = CrossEntropySmooth(True, "sum", smooth_factor, class_num)
        self.clear()

    def clear(self):
        self.sum, self.images = 0.0, 0

    def update(self, *inputs):
        """Add the `inputs` logits (N, classes) and labels (N,)."""
        logits, labels = inputs
        self.sum += float(self.loss(logits, labels).asnumpy())
        self.images += len(labels)

    def eval(self):
        return self.sum / self.images


def evaluation_metrics(config):
    """Metrics for `Model`, in the documented order; with fewer than 5 classes 'Top_5' counts
    them all.
    """
    return {
        "Loss": MeanLoss(smooth_factor(config), config.class_num),
        "Top_1_Acc": TopKCategoricalAccuracy(1),
        "Top_5_Acc": TopKCategoricalAccuracy(min(5, config.class_num)),
    }


def smooth_factor(config):
    """The share of a label that goes to other classes, in training and evaluation."""
    return config.label_smooth_factor if config.use_label_smooth else 0.0
