"""What is measured: accuracies on held-out data, and the time of an epoch in the documented
words.
"""

import time

from mindspore.train import Callback, TopKCategoricalAccuracy


def accuracy_metrics(class_num):
    """Metrics for `Model`, in the documented order; with fewer than 5 classes 'top_5' counts
    them all.
    """
    return {
        "top_5_accuracy": TopKCategoricalAccuracy(min(5, class_num)),
        "top_1_accuracy": TopKCategoricalAccuracy(1),
    }


class EpochTime(Callback):
    """Print the milliseconds of each epoch and of its steps, as documented (MindSpore's
    TimeMonitor words it anew).
    """

    def on_train_epoch_begin(self, run_context):
        self.started = time.perf_counter()

    def on_train_epoch_end(self, run_context):
        milliseconds = (time.perf_counter() - self.started) * 1000
        steps = run_context.original_args().batch_num
        print(
            f"Epoch time: {milliseconds:5.3f}, per step time: {milliseconds / steps:5.3f}",
            flush=True,
        )
