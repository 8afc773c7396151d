"""What every test needs: the fast oneDNN kernels and this folder's helpers on the path."""
import os
import sys
from pathlib import Path

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
sys.path.insert(0, str(Path(__file__).parent))

import mindspore as ms  # noqa: E402  the environment comes first

ms.set_device("CPU", 0)
ms.set_context(mode=ms.GRAPH_MODE)
