"""Encoders out of `keras.applications`."""

from cocoseg.errors import UserError


def taps(make, name: str, ends: tuple[str, ...], image, trained: bool, start) -> list:
    """Outputs of the layers that `ends` names, of the network that `make` makes.

    Keras downloads the weights that were learned on ImageNet and keeps them in `~/.keras`; where it cannot, it is a
    `UserError`. Weights that are not learned before are drawn by the initialiser `start`, and so are the seeds
    of what a layer drops by chance.
    """
    try:
        network = make(include_top=False, weights="imagenet" if trained else None, input_tensor=image)
    except Exception as error:  # Keras raises an Exception, and no kind of it, when a download fails
        if not trained or "URL fetch failure" not in str(error):
            raise
        raise UserError(
            f"the weights of {name} cannot be downloaded; choose the encoder efficientnet-lite0, whose weights come "
            f"with a package, or {name}:random, which starts untrained"
        ) from None
    if not trained:
        for layer in network.layers:
            for weight in layer.weights:
                if "kernel" in weight.name:
                    weight.assign(start(weight.shape))
    for layer in network.layers:
        if chance := getattr(layer, "seed_generator", None):
            chance.state.assign(start.seed.next())
    return [network.get_layer(end).output for end in ends]
