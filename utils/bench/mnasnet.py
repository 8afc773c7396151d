"""Measure MnasNet on this machine against PyTorch and write the tables of its READMEs: `make bench-mnasnet`.

    python utils/bench/mnasnet.py WORK TORCH_PYTHON

TORCH_PYTHON is the interpreter of an environment with PyTorch, which runs in a process of its own and waits while
MindSpore is timed. Each comparison alternates its two sides in one run, on the same threads, as the same function with
equal weights; the figures are medians.
"""
import os
import shutil
import sys
from pathlib import Path

import numpy as np
from measure import ROUNDS, Torch, compare, cpp_milliseconds, mean_milliseconds, run
from multiply_adds import count
from PIL import Image
from tables import ROOT, machine, write_table

FOLDER = ROOT / "mnasnet"
SIZE, BATCH = 224, 16


def prepare(work):
    """Weights as checkpoint and .npz, an image, exported files and the C++ program, in `work`. Returns the network."""
    import mindspore as ms

    from src.models.mnasnet import Mnasnet
    shutil.rmtree(work, ignore_errors=True)
    (work / "images/class").mkdir(parents=True)
    ms.set_seed(1)
    network = Mnasnet()
    ms.save_checkpoint(network, str(work / "mnasnet.ckpt"))
    np.savez(work / "weights.npz", **{p.name: p.asnumpy() for p in network.get_parameters()})
    np.save(work / "image.npy", np.random.RandomState(0).randn(1, 3, SIZE, SIZE).astype(np.float32))
    pixels = np.random.RandomState(0).randint(0, 256, (255, 255, 3), np.uint8)
    for number in range(40):  # Not JPEG, the decoding of which would take part of the cores meanwhile.
        Image.fromarray(pixels).save(work / f"images/class/{number}.bmp")
    for file_format in ("MINDIR", "ONNX"):
        run([sys.executable, FOLDER / "export.py", "--checkpoint_path", "mnasnet.ckpt", "--file_format", file_format],
            work)
    run([sys.executable, ROOT / "utils/cpp_infer/lower_mindir.py", "MNasNet.mindir", "lowered.mindir"], work)
    run(["bash", FOLDER / "ascend310_infer/build.sh"], work)
    return network


def create_forward(network, image):
    """Milliseconds of a prediction of `image`, and the prediction, as functions."""
    import mindspore as ms
    images = ms.Tensor(image)

    def forward():
        network.set_train(False)
        return network(images).asnumpy()
    return lambda: mean_milliseconds(forward, 20), forward


def create_step(network, image):
    """Milliseconds of a training step, as a function."""
    import mindspore as ms

    from src.loss import CrossEntropySmooth
    images, labels = ms.Tensor(image.repeat(BATCH, 0)), ms.Tensor(np.arange(BATCH), ms.int32)
    optimizer = ms.nn.RMSProp(network.trainable_params(), 1e-6, decay=0.9, momentum=0.9, epsilon=0.001,
                              weight_decay=1e-5)
    step = ms.nn.TrainOneStepCell(ms.nn.WithLossCell(network, CrossEntropySmooth(smooth_factor=0.1)), optimizer)

    def train():
        step.set_train()
        step(images, labels).asnumpy()
    return lambda: mean_milliseconds(train, 3)


def main(work, torch_python):
    """Measure and write."""
    sys.path.insert(0, str(FOLDER))
    from src.vendored.launch import set_up_device  # Before MindSpore, whose environment this sets.
    set_up_device("CPU")
    work, threads = Path(work).resolve(), os.cpu_count()
    network = prepare(work)
    trainable = sum(parameter.size for parameter in network.trainable_params())
    image = np.load(work / "image.npy")
    torch = Torch(os.path.abspath(torch_python), ROOT / "utils/bench/mnasnet_torch.py", work, threads)
    torch.ask("logits")
    forward, predict = create_forward(network, image)
    logits, expected = predict(), np.load(work / "logits.npy")
    difference = np.abs(logits - expected).max() / np.abs(expected).max()
    if not difference <= 1e-4:
        sys.exit(f"error: the two sides are not the same function: their logits differ by {difference:.1e}")
    program = FOLDER / "ascend310_infer/out/main"
    rows = [compare(f"prediction, batch 1 at 224, {threads} threads: MindSpore / PyTorch", forward,
                    lambda: float(torch.ask("forward"))),
            compare("the same: C++ / PyTorch", lambda: cpp_milliseconds(program, work, work / "images", threads),
                    lambda: float(torch.ask("forward"))),
            compare(f"training step, batch {BATCH} at 224: MindSpore / PyTorch", create_step(network, image),
                    lambda: float(torch.ask("step")))]
    torch.process.stdin.close()
    write_table("mnasnet", "measured", ["what", "first", "second", "ratio"],
                [*rows, [f"medians of {ROUNDS}, PyTorch 2.13.0, {machine()}", "", "", ""]])
    write_table("mnasnet", "size", ["network", "trainable parameters", "multiply-adds at 224"],
                [["MnasNet, 1000 classes", f"{trainable:,}", f"{count(work / 'MNasNet.onnx'):,}"]])


if __name__ == "__main__":
    main(*sys.argv[1:])
