"""lower_mindir.py where several operators use what one layer gives: MindSpore Lite 2.0.0 must
compute for each what MindSpore does.
"""

import pytest

from lowering_cases import BATCH, IMAGE
from lowering_tools import check, in_mindspore, prepare, run
from lowering_uses import LAYERS, make_uses


@pytest.mark.parametrize("layer_name", LAYERS)
def test_layers_used_in_many_ways(layer_name, tmp_path):
    x = BATCH if layer_name.startswith(("dense", "layer")) else IMAGE
    networks = make_uses(layer_name, len(layer_name))
    folders = [tmp_path / str(index) for index in range(len(networks))]
    for network, folder in zip(networks, folders):
        prepare(network, folder, [x])
    for network, outputs in zip(networks, run(folders)):
        seen = in_mindspore(network, x)
        check(outputs, seen, seen)
