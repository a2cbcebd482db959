"""MobileNetV3-Large: bottlenecks and gates made for phones; Howard et al., "Searching for MobileNetV3", ICCV 2019."""

from cocoseg.models import applications, backend

ENDS = ("expanded_conv_2_add", "expanded_conv_5_add", "expanded_conv_11_add", "expanded_conv_14_add")


def build(image, stride: int, trained: bool, start):
    """Feature maps of an image at strides 4, 8, 16 and, if `stride` is 32, 32 px, with 24, 40, 112 and 160 channels."""
    make = backend.keras().applications.MobileNetV3Large
    return applications.taps(make, "mobilenetv3", ENDS, image, trained, start)[: 3 if stride == 16 else 4]
