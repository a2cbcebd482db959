"""ResNet-50: bottlenecks with identity shortcuts; He et al., "Deep residual learning", CVPR 2016."""

from cocoseg.models import applications, backend

ENDS = ("conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out")
MEAN = (123.68, 116.779, 103.939)  # of ImageNet, in RGB


def build(image, stride: int, trained: bool, start):
    """Feature maps of an image at strides 4, 8, 16 and, if `stride` is 32, 32 px: 256, 512, 1024 and 2048 channels."""
    keras = backend.keras()
    x = keras.layers.Rescaling(1.0, offset=[-mean for mean in MEAN])(image)
    taps = applications.taps(keras.applications.ResNet50, "resnet50", ENDS, x, trained, start)
    first = next(op for op in keras.Model(image, taps).layers if op.name == "conv1_conv")
    kernel, *rest = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *rest])  # its weights were learned on BGR
    return taps[: 3 if stride == 16 else 4]
