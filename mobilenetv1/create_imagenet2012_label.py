"""Write imagenet_label.json: for each image of a folder of class folders, the index of its class.

python create_imagenet2012_label.py --img_path /data/val
"""

import json

from src.vendored.launch import parse_flags, run
from src.vendored.records import image_labels, write_whole


def main():
    """{file name: position of its folder among the sorted folders}, into the current folder."""
    flags = parse_flags(
        {"img_path": "."},
        {"img_path": "folder of class folders"},
        aliases={"data_path": "img_path"},
    )
    print("[WARNING] Create imagenet label. Currently only use for Imagenet2012!")
    labels = image_labels(flags["img_path"])
    write_whole("imagenet_label.json", json.dumps(labels))
    print(f"[INFO] Completed! Total {len(labels)} data.")


if __name__ == "__main__":
    run(main)
