"""Write imagenet_label.json: for each image of a folder of class folders, the index of its class.

python create_imagenet2012_label.py --img_path=/data/ILSVRC2012_val
"""

from src.vendored.launch import run

# isort: split
from src.vendored.results import label_images

if __name__ == "__main__":
    run(lambda: label_images(__doc__))
