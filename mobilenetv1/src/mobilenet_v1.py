"""The network under its other documented name."""

from src.mobilenet_v1_fpn import MobileNetV1, mobilenet_v1

__all__ = ["MobileNetV1", "mobilenet_v1"]
