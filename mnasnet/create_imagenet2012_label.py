"""Write the class of every image of an ImageNet-style folder to imagenet_label.json, for postprocess.py.

    python create_imagenet2012_label.py --img_path /data/imagenet/val
"""
import argparse
import json
import os
import sys
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


def label_images(folder):
    """{file name: class index} for the tree `folder`/CLASS/IMAGE; files that are no images are left out.

    A class's index is the position of its folder's name in sorted order. Raises ValueError where the tree is another
    one, or where two images share their name up to the first dot: they would share one result file.
    """
    folder = Path(folder)
    expected = f"{folder}: expected {folder}/CLASS/IMAGE.JPEG, found"
    if not folder.is_dir():
        raise ValueError(f"{expected} no such folder")
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    if not classes:
        raise ValueError(f"{expected} no folders in it")
    labels, seen = {}, {}
    for index, directory in enumerate(classes):
        for image in sorted(directory.iterdir()):
            if image.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            stem = image.name.split(".")[0]
            if stem in seen:
                raise ValueError(f"{image} and {seen[stem]} would share one result file: rename one of them")
            seen[stem], labels[image.name] = image, index
    if not labels:
        raise ValueError(f"{expected} folders without images")
    return labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda message: sys.exit(f"error: {message} (--help lists the flags)")
    parser.add_argument("--img_path", required=True, help="folder that holds one folder of images a class")
    arguments = parser.parse_args()
    print("[WARNING] Create imagenet label. Currently only use for Imagenet2012!")
    try:
        labels = label_images(arguments.img_path)
        beside = Path(".imagenet_label.json")
        beside.write_text(json.dumps(labels), encoding="utf-8")
        os.replace(beside, "imagenet_label.json")
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"[INFO] Completed! Total {len(labels)} data.")


if __name__ == "__main__":
    main()
