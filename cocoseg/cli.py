"""What a person types. Every command imports what it needs when it runs, so that `--help` is quick."""

import sys
import textwrap

import click

from cocoseg.errors import UserError

LONGEST = 600  # characters of a message: it may list every run there is


class Commands(click.Group):
    """A group whose commands turn a user's mistake, or a file that cannot be had, into one line and exit status 2."""

    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except (UserError, OSError) as error:
            if isinstance(error, OSError) and not error.filename:
                raise  # of no file that a user named
            text = str(error) if isinstance(error, UserError) else f"{error.filename}: {error.strerror}"
            mistake = click.ClickException(textwrap.shorten(text, LONGEST, placeholder=" …"))
            mistake.exit_code = 2
            raise mistake from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cocoseg")
def main():
    """COCO as a semantic-segmentation dataset: measure it, train on it, build the book about it.

    \b
    cocoseg data list                     what data are on this machine
    cocoseg run survey -p data sample     one notebook makes one run
    cocoseg status                        which runs are current
    cocoseg build                         the book from its runs
    """


@main.group(cls=Commands)
def data():
    """The datasets: list, make, download and check them.

    A dataset is a folder in COCO's layout, annotations/instances_<split>.json and <split>/<image>, in one of the data
    folders: $COCOSEG_DATA, data/ or ../shared/coco.
    """


@data.command("list")
def data_list():
    """Every dataset on this machine, with its splits."""
    from cocoseg.coco.datasets import available, folders

    found = available()
    for source in found:
        click.echo(f"{source.name}\n  {source.root}")
        for split in source.splits:
            file = source.annotations(split)
            folder = source.images(split)
            images = f"{sum(1 for _ in folder.rglob('*.*')):,} image files" if folder.is_dir() else "no image files"
            click.echo(f"  {split}: {file.stat().st_size / 1e6:,.1f} MB of annotations, {images}")
    if "sample" not in {source.name for source in found}:
        click.echo("sample\n  not made yet: cocoseg data sample")
    if not found:
        click.echo(f"nothing else in {', '.join(map(str, folders()))}; see: cocoseg data download --help")


@data.command("sample")
def data_sample():
    """Make the generated sample dataset, if it is not there yet."""
    from cocoseg.coco.datasets import dataset

    click.echo(dataset("sample").root)


@data.command("defects")
@click.argument("name")
def data_defects(name):
    """Make a dataset with planted annotation errors: a dataset's name, +, the kind, the percentage, maybe @seed.

    \b
    cocoseg data defects person+missing20      person without a fifth of its objects
    cocoseg data defects sample+cut-off10@3    another draw

    Any command takes such a name for a dataset, and makes it when it is not there.
    """
    from cocoseg.coco.datasets import dataset
    from cocoseg.coco.derived import parse, planted

    parse(name)
    root = dataset(name).root
    for split, count in planted(root).group_by("split").len().sort("split").iter_rows():
        click.echo(f"{split}: {count:,} annotations spoiled")
    click.echo(root)


@data.command("correct")
@click.argument("annotations", type=click.Path(exists=True, dir_okay=False))
@click.argument("corrections", type=click.Path(exists=True, dir_okay=False))
@click.option("--to", "target", type=click.Path(dir_okay=False), required=True, help="The corrected file.")
def data_correct(annotations, corrections, target):
    """Apply a corrections file to an annotation file: annotations to drop, to replace and to add.

    A run of the notebook quality writes two into its folder:

    \b
    corrections.json  instances drawn twice, to drop; take out what you do not believe
    suspects.csv      every suspect; write into the column verdict, in a spreadsheet:
                        keep        the annotation is right (as is every row without a verdict)
                        drop        take annotation_id out
                        drop other  take other_id out, of a pair
                        add         annotate region as category

    \b
    cocoseg data correct annotations/instances_val.json suspects.csv --to better.json
    """
    from cocoseg.coco.corrections import correct

    done = correct(annotations, corrections, target)
    click.echo(", ".join(f"{count:,} {what}" for what, count in done.items()))
    click.echo(target)


@data.command("download")
@click.argument("what", metavar="annotations|val|train")
@click.option("--to", "folder", type=click.Path(file_okay=False), help="The folder.  [default: data/coco2017]")
@click.option("--ids", type=click.File(), help="Only these images of val or train: a file with an id per line.")
@click.option("--server", help="Another server with the same files.")
def data_download(what, folder, ids, server):
    """Fetch COCO 2017, or some of its images, into a dataset's folder.

    annotations (253 MB), val (0.8 GB) and train (19.3 GB) are the archives of COCO's own server. A download that was
    interrupted goes on where it stopped; one that is complete is not done again.

    \b
    cocoseg data download annotations
    cocoseg data download val --ids ids.txt --to data/my-subset
    """
    from pathlib import Path

    from cocoseg.coco.datasets import HOME
    from cocoseg.coco.download import SERVER, download, download_images

    folder, server = Path(folder or HOME / "data" / "coco2017"), server or SERVER
    if ids is None:
        click.echo(download(what, folder, server=server))
        return
    if what not in ("val", "train"):
        raise UserError("--ids chooses images: give it with val or train")
    lines = [line.strip() for line in ids if line.strip()]
    wrong = next((line for line in lines if not line.isdigit()), None)
    if wrong or not lines:
        raise UserError(f"{ids.name}: expected an image id per line" + (f", not {wrong!r}" if wrong else ""))
    whole = HOME / "data" / "coco2017" / "annotations" / f"instances_{what}2017.json"
    if not whole.is_file():
        download("annotations", whole.parents[1], server=server)
    click.echo(download_images(map(int, lines), whole, folder, server=server))


@data.command("check")
@click.argument("path", type=click.Path(exists=True))
@click.option("--images", type=click.Path(exists=True, file_okay=False), help="The folder of the images, checked too.")
@click.option("--csv", type=click.Path(dir_okay=False), help="Write every finding to this file.")
def data_check(path, images, csv):
    """Check an annotation file, or all splits of a dataset's folder, and say what reading drops or repairs.

    Exit status 1 if anything had to be dropped.
    """
    from pathlib import Path

    import polars as pl

    from cocoseg.coco.check import check, summary
    from cocoseg.coco.datasets import dataset

    path = Path(path)
    if path.is_dir():
        source = dataset(str(path))
        if not source.splits:
            raise UserError(f"{path}/annotations has no instances_<split>.json")
        work = [(source.annotations(split), source.images(split)) for split in source.splits]
        work = [(file, folder if folder.is_dir() else None) for file, folder in work]
    else:
        work = [(path, Path(images) if images else None)]
    tables = []
    for file, folder in work:
        coco, findings = check(file, folder)
        tables.append(findings.with_columns(file=pl.lit(file.name)))
        click.echo(
            f"{file.name}: {coco.images.height:,} images, {coco.annotations.height:,} annotations, "
            f"{coco.categories.height:,} categories; {findings.height:,} findings"
            + ("" if folder else " (images not checked)")
        )
        with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=70, tbl_rows=99):
            if findings.height:
                click.echo(summary(findings))
    findings = pl.concat(tables)
    if csv:
        findings.with_columns(pl.col("ids").cast(pl.List(pl.String)).list.join(" ")).write_csv(csv)
        click.echo(f"all findings: {csv}")
    sys.exit(int((findings["action"] == "dropped").any()))


def _readable_parameters(notebook: str) -> str:
    from cocoseg.runs.parameters import parameters, path

    lines = []
    for parameter in parameters(path(notebook)).values():
        valid = f" ({parameter.valid})" if parameter.valid else ""
        lines.append(
            f"  {parameter.name:<18} {parameter.type:<10} {parameter.default!r}\n      {parameter.meaning}{valid}"
        )
    return f"Parameters of {notebook}, with type and default:\n\n" + "\n".join(lines)


@main.command("run", add_help_option=False)
@click.argument("notebook", required=False)
@click.option("-p", "given", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter of the notebook.")
@click.option("--name", help="The run's name; by default the edition's, or one made of the parameters.")
@click.option(
    "--force", is_flag=True, help="Run even if nothing has changed, and replace another training of this name."
)
@click.option("-h", "--help", "help_", is_flag=True, help="With a notebook: its parameters.")
@click.pass_context
def run_(context, notebook, given, name, force, help_):
    """Execute a notebook with parameters; the result is a run in book/runs/.

    Nothing is done if the run is there and current. A run that was killed goes on from its last checkpoint.

    \b
    cocoseg run --help train                       the parameters of the notebook train
    cocoseg run survey -p data sample -p split val
    """
    from cocoseg.runs import parameters

    if help_ or not notebook:
        if notebook:
            click.echo(_readable_parameters(notebook))
        else:
            click.echo(context.get_help())
            click.echo(f"\nNotebooks: {', '.join(sorted(f.stem for f in parameters.NOTEBOOKS.glob('*.ipynb')))}")
        return
    from cocoseg.runs.execute import RunFailed, execute, from_parent

    repeated = {key for key, _ in given if [k for k, _ in given].count(key) > 1}
    if repeated:
        raise UserError(f"parameter given twice: {', '.join(sorted(repeated))}")
    try:
        run, executed = execute(notebook, from_parent(dict(given)), name, force=force)
    except RunFailed as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{run.name}: " + (f"done in {run.facts['seconds']:,.0f} s" if executed else "nothing has changed"))
    for key, value in run.scores.items():
        click.echo(f"  {key}: {value}")
    click.echo(f"  {run.folder}")


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="IMAGE…")
@click.option("--run", "name", help="A training in book/runs/.  [default: the model that comes with the library]")
@click.option("--out", type=click.Path(file_okay=False), default="predictions", show_default=True, help="A folder.")
def predict(images, name, out):
    """Find the classes of a trained model in photos.

    Writes <stem>.png, the label map (a PNG whose values are classes), and <stem>.overlay.png, the photo under their
    colours.
    A photo is turned upright as its EXIF orientation says, and so are both files.

    \b
    cocoseg predict holiday.jpg --run mine
    """
    from pathlib import Path

    from cocoseg.models.apply import apply, shipped
    from cocoseg.models.storage import load
    from cocoseg.runs.record import run

    model = load(run(name).folder if name else shipped())
    for path, shares in apply(model, [Path(image) for image in images], Path(out)):
        found = ", ".join(f"{label} {share:.1%}" for label, share in shares.items())
        click.echo(f"{path}: {found}")
    click.echo(out)


@main.command()
@click.argument("kind", metavar="onnx|litert|keras")
@click.option("--run", "name", help="A training in book/runs/.  [default: the model that comes with the library]")
@click.option(
    "--out", type=click.Path(dir_okay=False), help="The file.  [default: the name of the run or model, in this folder]"
)
def export(kind, name, out):
    """Write a trained network to a file for use elsewhere.

    onnx needs the packages onnx and tf2onnx.
    """
    from cocoseg.models.apply import shipped
    from cocoseg.models.export import ENDINGS, export
    from cocoseg.models.storage import load
    from cocoseg.runs.record import run

    folder = run(name).folder if name else shipped()
    model = load(folder)
    out = out or f"{name or model.name}{ENDINGS.get(kind, '')}"
    click.echo(f"{out}\n{export(model, kind, out)}")


@main.command()
@click.option("--strict", is_flag=True, help="Exit with status 1 unless all runs of the edition are current.")
@click.option("--edition", "edition_", help="Only the runs of this edition (with --strict: coco).")
def status(strict, edition_):
    """Every run: current, or stale, failed, missing, and why."""
    from cocoseg.runs import report

    states = report.states(edition_ or ("coco" if strict else None))
    for state in states:
        mark = "" if state.verified else " (data not on this machine: unverified)"
        click.echo(f"{state.state:<12} {state.name}{mark}")
        for reason in state.why:
            click.echo(f"{'':13}{reason}")
        for change in state.drift:
            click.echo(f"{'':13}since this training: {change}")
    if strict and any(state.state != "current" for state in states):
        sys.exit(1)


@main.command()
@click.option("--edition", "edition_", default="coco", show_default=True, help="Which book: book/editions/NAME.yml.")
@click.option("--run", "execute", is_flag=True, help="First execute the runs that are missing or stale.")
@click.option("--strict", is_flag=True, help="Refuse to build from runs that are not current.")
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
def build(edition_, execute, strict, force):
    """Build the site from runs: _build/html/, other editions in a folder of theirs below it."""
    from cocoseg.runs.build import BuildFailed, build
    from cocoseg.runs.execute import RunFailed

    try:
        page = build(edition_, run=execute, strict=strict, force=force, say=click.echo)
    except (BuildFailed, RunFailed) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(page)


@main.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--data", required=True, help="The dataset: a name that `cocoseg data list` shows, or a folder.")
@click.option("--split", required=True, help="The split that was predicted.")
@click.option("--space", default="own", show_default=True, help="The label space of the predictions.")
@click.option("--name", default="judged", show_default=True, help="Of the edition: book/editions/NAME.yml.")
def judge(models, data, split, space, name):
    """Judge models made elsewhere: all pages on results, about them, in _build/html/NAME/.

    A model is a folder of label maps, PNG files named and sized as the images whose values are the classes, or an ONNX
    file. Several are compared with one another. What is done already is not done again.

    \b
    cocoseg judge predictions/mine predictions/theirs --data coco2017 --split val2017 --space voc21
    """
    from cocoseg.runs.build import BuildFailed, build
    from cocoseg.runs.execute import RunFailed
    from cocoseg.runs.judge import write

    write(name, models, data, split, space)
    try:
        click.echo(build(name, run=True, say=click.echo))
    except (BuildFailed, RunFailed) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
