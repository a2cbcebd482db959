"""EfficientNetV2-B0: fused convolutions first, gated bottlenecks then; Tan and Le, "EfficientNetV2", ICML 2021."""

from cocoseg.models import applications, backend

ENDS = ("block2b_add", "block3b_add", "block5e_add", "block6h_add")


def build(image, stride: int, trained: bool, start):
    """Feature maps of an image at strides 4, 8, 16 and, if `stride` is 32, 32 px, with 32, 48, 112 and 192 channels."""
    make = backend.keras().applications.EfficientNetV2B0
    return applications.taps(make, "efficientnetv2", ENDS, image, trained, start)[: 3 if stride == 16 else 4]
