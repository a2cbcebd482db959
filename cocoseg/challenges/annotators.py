"""A second annotator's file: its categories in the first one's terms, and where it says nothing.

Another annotation of the same images has ids and names of its own (LVIS has synsets), and need not be complete: LVIS is
*federated*, each category is annotated exhaustively in some images only.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from cocoseg.coco.check import check
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError

# The synsets of LVIS's vocabulary that a COCO category covers, by the definitions in LVIS's own file; the first means
# the same as the category, the others are kinds of it. LVIS's cow is a beef.n.01 (cattle that are reared for meat).
LVIS: dict[str, tuple[str, ...]] = {
    "person": ("person.n.01",),
    "bicycle": ("bicycle.n.01",),
    "car": ("car.n.01", "cab.n.03", "cruiser.n.01", "jeep.n.01", "limousine.n.01", "minivan.n.01", "racer.n.02"),
    "motorcycle": ("motorcycle.n.01", "motor_scooter.n.01"),
    "airplane": ("airplane.n.01", "jet.n.01", "seaplane.n.01"),
    "bus": ("bus.n.01", "school_bus.n.01"),
    "train": ("train.n.01", "bullet_train.n.01"),
    "truck": ("truck.n.01", "garbage_truck.n.01", "pickup.n.01", "tow_truck.n.01", "trailer_truck.n.01"),
    "boat": (
        "boat.n.01", "canoe.n.01", "cargo_ship.n.01", "cruise_ship.n.01", "fishing_boat.n.01", "gondola.n.02",
        "houseboat.n.01", "kayak.n.01", "motorboat.n.01", "passenger_ship.n.01", "river_boat.n.01", "yacht.n.01",
    ),
    "traffic light": ("traffic_light.n.01",),
    "fire hydrant": ("fireplug.n.01",),
    "stop sign": ("stop_sign.n.01",),
    "parking meter": ("parking_meter.n.01",),
    "bench": ("bench.n.01", "pew.n.01"),
    "bird": (
        "bird.n.01", "chicken.n.02", "cock.n.04", "duck.n.01", "duckling.n.02", "eagle.n.01", "goose.n.01",
        "hummingbird.n.01", "owl.n.01", "parrot.n.01", "penguin.n.01", "pigeon.n.01", "seabird.n.01", "turkey.n.01",
    ),
    "cat": ("cat.n.01", "kitten.n.01"),
    "dog": ("dog.n.01", "bulldog.n.01", "pug.n.01", "puppy.n.01", "shepherd_dog.n.01"),
    "horse": ("horse.n.01", "foal.n.01", "pony.n.05"),
    "sheep": ("sheep.n.01", "black_sheep.n.02", "lamb.n.01", "ram.n.05"),
    "cow": ("beef.n.01", "bull.n.11", "calf.n.01"),
    "elephant": ("elephant.n.01",),
    "bear": ("bear.n.01", "ice_bear.n.01"),
    "zebra": ("zebra.n.01",),
    "giraffe": ("giraffe.n.01",),
    "backpack": ("backpack.n.01",),
    "umbrella": ("umbrella.n.01",),
    "handbag": ("bag.n.04", "carryall.n.01", "clutch_bag.n.01", "shoulder_bag.n.01"),
    "tie": ("necktie.n.01", "bolo_tie.n.01", "bow_tie.n.01"),
    "suitcase": ("bag.n.06", "briefcase.n.01", "duffel_bag.n.01"),
    "frisbee": ("frisbee.n.01",),
    "skis": ("ski.n.01",),
    "snowboard": ("snowboard.n.01",),
    "sports ball": (
        "ball.n.06", "baseball.n.02", "basketball.n.02", "beach_ball.n.01", "bowling_ball.n.01", "football.n.02",
        "ping-pong_ball.n.01", "soccer_ball.n.01", "softball.n.01", "tennis_ball.n.01", "volleyball.n.02",
    ),
    "kite": ("kite.n.03",),
    "baseball bat": ("baseball_bat.n.01",),
    "baseball glove": ("baseball_glove.n.01",),
    "skateboard": ("skateboard.n.01",),
    "surfboard": ("surfboard.n.01",),
    "tennis racket": ("tennis_racket.n.01",),
    "bottle": ("bottle.n.01", "beer_bottle.n.01", "thermos.n.01", "water_bottle.n.01", "wine_bottle.n.01"),
    "wine glass": ("wineglass.n.01", "flute.n.02"),
    "cup": ("cup.n.01", "dixie_cup.n.01", "glass.n.02", "measuring_cup.n.01", "mug.n.04", "teacup.n.02"),
    "fork": ("fork.n.01",),
    "knife": ("knife.n.01", "butcher_knife.n.01", "pocketknife.n.01", "steak_knife.n.01"),
    "spoon": ("spoon.n.01", "soupspoon.n.01", "wooden_spoon.n.02"),
    "bowl": ("bowl.n.03", "soup_bowl.n.01", "sugar_bowl.n.01"),
    "banana": ("banana.n.02",),
    "apple": ("apple.n.01",),
    "sandwich": ("sandwich.n.01",),
    "orange": ("orange.n.01",),
    "broccoli": ("broccoli.n.01",),
    "carrot": ("carrot.n.01",),
    "pizza": ("pizza.n.01",),
    "donut": ("doughnut.n.02",),
    "cake": ("cake.n.03",),
    "chair": (
        "chair.n.01", "armchair.n.01", "deck_chair.n.01", "folding_chair.n.01", "highchair.n.01", "rocking_chair.n.01",
        "wing_chair.n.01",
    ),
    "couch": ("sofa.n.01", "convertible.n.03", "love_seat.n.01"),
    "potted plant": ("pot.n.04",),
    "bed": ("bed.n.01",),
    "dining table": ("dining_table.n.01", "kitchen_table.n.01", "table.n.02"),
    "toilet": ("toilet.n.02",),
    "tv": ("television_receiver.n.01", "monitor.n.04"),
    "laptop": ("laptop.n.01",),
    "mouse": ("mouse.n.04",),
    "remote": ("remote_control.n.01",),
    "keyboard": ("computer_keyboard.n.01",),
    "cell phone": ("cellular_telephone.n.01",),
    "microwave": ("microwave.n.02",),
    "oven": ("stove.n.01",),
    "toaster": ("toaster.n.02",),
    "sink": ("sink.n.01",),
    "refrigerator": ("electric_refrigerator.n.01",),
    "book": ("book.n.01", "booklet.n.01", "comic_book.n.01", "hardback.n.01", "paperback_book.n.01"),
    "clock": ("clock.n.01", "alarm_clock.n.01", "wall_clock.n.01"),
    "vase": ("vase.n.01",),
    "scissors": ("scissors.n.01",),
    "teddy bear": ("teddy.n.01",),
    "hair drier": ("hand_blower.n.01",),
    "toothbrush": ("toothbrush.n.01",),
}  # fmt: skip

MAP = {"category_id": pl.Int64, "name": pl.String, "other_id": pl.Int64, "other_name": pl.String, "same": pl.Boolean}


@dataclass(frozen=True, eq=False)
class Annotator:
    """A second annotation of some images, in the first one's categories.

    - `coco`: its images, and its annotations under the first annotator's category ids; those of other categories are
      left out.
    - `categories`: the category map: category_id, name (the first annotator's), other_id, other_name, and whether they
      mean the same (else the other's is a kind of the first's).
    - `complete`: image_id and category_id, both i64, of what it annotates exhaustively, objects that are not there
      included; None if that is every category in every image.
    """

    coco: Coco
    categories: pl.DataFrame
    complete: pl.DataFrame | None


class _Image(msgspec.Struct):
    id: int
    neg_category_ids: list[int] | None = None
    not_exhaustive_category_ids: list[int] | None = None


class _Category(msgspec.Struct):
    id: int
    name: str = ""
    synset: str | None = None


class _Extras(msgspec.Struct):
    images: list[_Image]
    categories: list[_Category]


def annotator(path: Path | str, categories: pl.DataFrame) -> Annotator:
    """Read another annotation file in COCO's format (LVIS, Sama-COCO, COCO-ReM, panoptic in detection format, …).

    `categories` are the first annotator's, as `Coco.categories`. A file whose categories have synsets is mapped by
    `LVIS`, any other by name, whatever the case and with '_' for a space. Where its images say which categories they
    are certain about (LVIS's `neg_category_ids` and `not_exhaustive_category_ids`; Gupta et al. 2019, section 3.1), a
    category is complete in an image if it was found to be absent, or was annotated there and not left unfinished. A
    file with no category in common is a `UserError`.
    """
    coco, _ = check(path)
    extras = msgspec.json.decode(Path(path).read_bytes(), type=_Extras)
    pairs = category_map(extras.categories, categories)
    if pairs.is_empty():
        raise UserError(
            f"{Path(path).name} has no category in common with the first annotator "
            f"({', '.join(categories['name'].head(3))}, …); its own are {', '.join(coco.categories['name'].head(3))}, …"
        )
    to = pairs.select("other_id", "category_id")
    ours = coco.annotations.rename({"category_id": "other_id"}).join(to, on="other_id", maintain_order="left")
    mapped = Coco(coco.images, categories, ours.select(coco.annotations.columns))
    return Annotator(mapped, pairs, _complete(extras.images, coco.annotations, pairs))


def category_map(others: list[_Category], categories: pl.DataFrame) -> pl.DataFrame:
    """Which of another annotator's categories are which of ours, as `Annotator.categories`; sorted."""
    ours = {_plain(name): (category_id, name) for category_id, name in categories.select("category_id", "name").rows()}
    meaning = {synset: (_plain(name), synset == synsets[0]) for name, synsets in LVIS.items() for synset in synsets}
    rows = []
    for other in others:
        name, same = meaning.get(other.synset, ("", False)) if other.synset else (_plain(other.name), True)
        if name in ours:
            rows.append((*ours[name], other.id, other.name, same))
    return pl.DataFrame(rows, MAP, orient="row").sort(
        "category_id", "same", "other_id", descending=[False, True, False]
    )


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").strip()


def _complete(images: list[_Image], annotations: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame | None:
    if all(image.neg_category_ids is None for image in images):
        return None
    there = annotations.group_by("image_id").agg(pl.col("category_id").unique())
    present = {image_id: set(ids) for image_id, ids in there.iter_rows()}
    rows = [
        (image.id, other_id)
        for image in images
        for other_id in (present.get(image.id, set()) - set(image.not_exhaustive_category_ids or ()))
        | set(image.neg_category_ids or ())
    ]
    known = pl.DataFrame(rows, {"image_id": pl.Int64, "other_id": pl.Int64}, orient="row")
    same = pairs.filter("same").select("other_id", "category_id")
    return known.join(same, on="other_id").select("image_id", "category_id").unique().sort("image_id", "category_id")
