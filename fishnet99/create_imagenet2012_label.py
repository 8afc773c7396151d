"""Write imagenet_label.json: for each image of a folder of class folders, the index of its class.

    python create_imagenet2012_label.py --img_path=/data/ILSVRC2012_val
"""
import argparse
import json
import os
import sys
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


def image_labels(folder):
    """{file name: index of its folder among the sorted folders} for the tree `folder`/<class>/<image>.

    Files that are no images are left out, as in training and evaluation. Raises ValueError for another tree, and for
    images whose names are equal up to the first dot: their result files would be one.
    """
    expected = f"{folder}: expected {folder}/<class>/<image>.JPEG, found"
    if not folder.is_dir():
        raise ValueError(f"{expected} no such folder")
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    if not classes:
        raise ValueError(f"{expected} no folders in it")
    labels, seen = {}, {}
    for index, directory in enumerate(classes):
        for path in sorted(directory.iterdir()):
            if not path.is_file() or path.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            stem = path.name.split(".")[0]
            if stem in seen:
                raise ValueError(f"{path} and {seen[stem]} would have one result file; rename one of them")
            seen[stem], labels[path.name] = path, index
    if not labels:
        raise ValueError(f"{expected} folders without images")
    return labels


def main():
    """Label the images of `--img_path` in the current folder's imagenet_label.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda message: sys.exit(f"error: {message} (--help lists the flags)")
    parser.add_argument("--img_path", "--dataset_path", type=Path, required=True, help="folder of class folders")
    arguments = parser.parse_args()
    print("[WARNING] Create imagenet label. Currently only use for Imagenet2012!")
    try:
        labels = image_labels(arguments.img_path)
        beside = Path(".imagenet_label.json")
        beside.write_text(json.dumps(labels), encoding="utf-8")
        os.replace(beside, "imagenet_label.json")
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"[INFO] Completed! Total {len(labels)} data.")


if __name__ == "__main__":
    main()
