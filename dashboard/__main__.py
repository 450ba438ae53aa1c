"""The same work without a screen: `python -m dashboard VERB`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from dashboard.errors import SecondReadError

VERBS = {
    "train": "train a recipe on labelled images and write its bundle",
}


def main(argv: list[str] | None = None) -> int:
    """Run one verb; 0 if it worked, 1 if it refused with a sentence, 2 for wrong arguments."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser("python -m dashboard", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, text in VERBS.items():
        module = importlib.import_module(f"dashboard.commands.{verb.replace('-', '_')}")
        child = verbs.add_parser(verb, help=text, description=module.__doc__)
        module.add_arguments(child)
        child.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    try:
        arguments.run(arguments)
    except SecondReadError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
