"""The accuracies on held-out images."""

from mindspore.train import TopKCategoricalAccuracy


def accuracy_metrics(num_classes):
    """Metrics for `Model`, in the documented order; with fewer than 5 classes 'top_5' counts
    them all.
    """
    top5 = TopKCategoricalAccuracy(min(5, num_classes))
    return {"top_1_accuracy": TopKCategoricalAccuracy(1), "top_5_accuracy": top5}
