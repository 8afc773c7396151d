"""Write imagenet_label.json: for each image of a folder of class folders, the index of its class.

python create_imagenet2012_label.py --img_path=/data/ILSVRC2012_val
"""

from src.vendored.launch import UserError, run

# isort: split
from src.vendored.flags import parse_flags
from src.vendored.results import LABEL_SETTINGS, write_labels


def main():
    """{image: class index}, into the current folder."""
    flags, _ = parse_flags(LABEL_SETTINGS, {"dataset_path": "img_path"}, description=__doc__)
    if not flags["img_path"]:
        raise UserError("which images? --img_path FOLDER is required")
    print("[WARNING] Create imagenet label. Currently only use for Imagenet2012!")
    number = write_labels(
        flags["img_path"], "imagenet_label.json", flags["mindir_path"], flags["class_names"]
    )
    print(f"[INFO] Completed! Total {number} data.")


if __name__ == "__main__":
    run(main)
