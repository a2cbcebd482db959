"""What others have published for COCO val2017 with the 21 VOC labels, with the source of each number.

Sources are keys of `book/references.bib`.
"""

import polars as pl

SOURCE = "torchvision2016"
IMAGES = {"train2017": 118_287, "val2017": 5_000}
SIZE = 520
"""Short side in px to which torchvision resizes images, and truths, before it scores."""

SCORES = pl.DataFrame(
    [
        ("FCN, ResNet-50", 0.605, "long2015fcn"),
        ("FCN, ResNet-101", 0.637, "long2015fcn"),
        ("LR-ASPP, MobileNetV3-Large", 0.579, "howard2019searching"),
        ("DeepLabV3, MobileNetV3-Large", 0.603, "howard2019searching"),
        ("DeepLabV3, ResNet-50", 0.664, "chen2017rethinking"),
        ("DeepLabV3, ResNet-101", 0.674, "chen2017rethinking"),
    ],
    {"model": pl.String, "miou": pl.Float64, "paper": pl.String},
    orient="row",
)
"""mIoU over the dataset, of 21 classes with background, as `SOURCE` gives it: model str, miou f64, paper str."""
