"""Files of an older MindSpore in tests/data, with what it made of their inputs.

    python3.9 -m venv venv && venv/bin/pip install mindspore-dev==2.5.0.dev20250119 'numpy<2'
    venv/bin/python tests/older_mindspore.py

Writes mindspore_2.5.mindir, named for the MindSpore that this runs under, and mindspore_2.5.npz.
"""

import tempfile
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import mint, nn, ops


class Small(nn.Cell):
    """Convolutions, pools, attention over the pixels, slices, types: 12 kB of weights."""

    def __init__(self, split, chunk, narrow, swap):
        super().__init__()
        self.split, self.chunk, self.narrow, self.swap = split, chunk, narrow, swap
        self.stem = nn.SequentialCell(
            nn.Conv2d(3, 8, 3, 2, "pad", 1), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.depthwise = nn.Conv2d(8, 8, 3, group=8, has_bias=True)
        self.pools = nn.MaxPool2d(2, 2), nn.AvgPool2d(2, 2)
        self.norm, self.project = nn.LayerNorm((16,)), nn.Dense(16, 48)
        self.head = nn.Dense(16, 5)

    def construct(self, x):
        x = self.stem(x)
        x = ops.concat((self.pools[0](x), self.pools[1](ops.silu(self.depthwise(x)))), 1)
        x = x.reshape(x.shape[0], 16, -1).transpose(0, 2, 1)
        query, key, value = self.split(self.project(self.norm(x)), 16, -1)
        scores = ops.softmax(ops.matmul(query, self.swap(key, 1, 2)) * 0.25, -1)
        x = x + ops.gelu(ops.matmul(scores, value))
        few, many = self.split(x, (4, 12), -1)
        x = ops.concat((self.narrow(many, -1, 0, 12), few), -1)
        left, right = self.chunk(x, 2, -1)
        x = ops.concat((right, left), -1)
        x = x[:, 1:, :].mean(1) + (x.max(1) > 0).astype(ms.float32) / 2
        return self.head(x), x.argmax(-1)


def main():
    ms.set_context(mode=ms.GRAPH_MODE, device_target="CPU")
    # No kernels of these on the CPU in MindSpore 2.5: others that do the same say what is right.
    network = Small(mint.split, mint.chunk, mint.narrow, mint.transpose).set_train(False)
    same = Small(ops.split, ops.chunk, ops.narrow, ops.swapaxes).set_train(False)
    numbers = np.random.RandomState(0)
    for parameter in network.get_parameters():
        values = numbers.uniform(-1, 1, parameter.shape)
        values = abs(values) + 0.5 if "variance" in parameter.name else values
        parameter.set_data(ms.Tensor(values.astype(np.float32)))
    image = numbers.uniform(-2, 2, (2, 3, 16, 16)).astype(np.float32)
    ms.load_param_into_net(same, network.parameters_dict())
    outputs = same(ms.Tensor(image))
    version = ".".join(ms.__version__.split(".")[:2])
    target = Path(__file__).parent / f"data/mindspore_{version}"
    with tempfile.TemporaryDirectory() as folder:
        ms.export(network, ms.Tensor(image), file_name=f"{folder}/model", file_format="MINDIR")
        content = Path(folder, "model.mindir").read_bytes()
    Path(f"{target}.mindir").write_bytes(content)
    wanted = {f"output_{index}": output.asnumpy() for index, output in enumerate(outputs)}
    np.savez_compressed(f"{target}.npz", image=image, **wanted)
    print(f"{target}.mindir: {len(content)} bytes, of MindSpore {ms.__version__}")


if __name__ == "__main__":
    main()
