"""Write imagenet_label.json, which says for each image of a folder of class folders which class it belongs to.

    python create_imagenet2012_label.py --img_path /data/imagenet/val
"""
import argparse
import json
import os
import sys
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
LABEL_FILE = Path("imagenet_label.json")


def image_labels(folder):
    """{file name: index of its class} of the images `folder`/<class>/<image>, classes and names in sorted order.

    Raises ValueError for another tree, and for two images whose result files would have the same name.
    """
    tree = f"expected {folder}/<class>/<image>.JPEG"
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; {tree}")
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    if not classes:
        raise ValueError(f"{folder}: no class folders in it; {tree}")
    labels, stems = {}, {}
    for index, class_folder in enumerate(classes):
        for path in sorted(class_folder.iterdir()):
            if not path.name.lower().endswith(SUFFIXES):
                continue
            stem = path.name.split(".")[0]
            if stem in stems:
                raise ValueError(f"{path}: its results would overwrite those of {stems[stem]}; rename one of them")
            labels[path.name], stems[stem] = index, path
    if not labels:
        raise ValueError(f"{folder}: no images in its class folders, such as {classes[0]}; {tree}")
    return labels


def main():
    """Read the flag, write the file into the current folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda message: sys.exit(f"error: {message} (--help lists the flags)")
    parser.add_argument("--img_path", "--dataset_path", type=Path, required=True, help="folder of class folders")
    flags = parser.parse_args()
    print("[WARNING] Create imagenet label. Currently only use for Imagenet2012!")
    try:
        labels = image_labels(flags.img_path)
        beside = LABEL_FILE.with_name(f".{LABEL_FILE.name}")
        beside.write_text(json.dumps(labels), encoding="utf-8")
        os.replace(beside, LABEL_FILE)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"[INFO] Completed! Total {len(labels)} data.")


if __name__ == "__main__":
    main()
