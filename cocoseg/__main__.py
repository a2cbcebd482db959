"""`python -m cocoseg` is `cocoseg`."""

from cocoseg.cli import main

main(prog_name="cocoseg")
