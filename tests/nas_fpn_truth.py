"""Pictures, and annotations of them that a network half finds."""

import json

import cv2
import mindspore as ms
import numpy as np

from folders import import_from
from nas_fpn_small import RESNET50, SMALL
from test_nas_fpn import configuration

IMAGES = {3: (90, 140), 20: (128, 128), 21: (200, 96), 40: (150, 150)}  # id: (height, width)


def small(**changes):
    return configuration(128, **{**SMALL, **RESNET50, **changes})


def read_image(root, image_id):
    """The network's input (1, 3, 128, 128) for an image of the data set, by NumPy and OpenCV
    alone.
    """
    pixels = cv2.resize(cv2.imread(str(root / f"coco/val2017/{image_id:012}.jpg")), (128, 128))[
        :, :, ::-1
    ]
    normal = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return np.float32(normal.transpose(2, 0, 1)[None])


def write_truth(root, network):
    """Annotations that the network half finds: of its detections every third, some moved; a
    crowd on image 40.
    """
    annotations = []
    for image_id, shape in IMAGES.items():
        outputs = [output.asnumpy()[0] for output in network(ms.Tensor(read_image(root, image_id)))]
        boxes, _, labels = import_from("nas_fpn", "src.coco_eval").detect(
            *outputs, np.float32(shape), small()
        )
        for y1, x1, y2, x2, label in np.column_stack((boxes, labels))[::3].astype(float).tolist():
            box = [x1, y1, x2 - x1, 0.9 * (y2 - y1)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(label),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": int(image_id == 40),
                }
            )
    images = [
        {"id": image_id, "file_name": f"{image_id:012}.jpg", "height": height, "width": width}
        for image_id, (height, width) in IMAGES.items()
    ]
    (root / "coco/annotations").mkdir()
    (root / "coco/annotations/instances_val2017.json").write_text(
        json.dumps(
            {
                "images": images,
                "annotations": annotations,
                "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
            }
        )
    )
