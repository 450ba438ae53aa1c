"""The same work without a screen: `python -m dashboard VERB`. Research and education only; not a medical device."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from dashboard.errors import SecondReadError

VERBS = {  # verb: (module of dashboard.commands, one line of help)
    "models": ("models", "list every bundle, verified or why not"),
    "import": ("import_model", "make a bundle of your own Keras model"),
    "classify": ("classify", "classify files, folders and ZIPs into a CSV"),
    "explain": ("explain", "draw where a model looked"),
    "evaluate": ("evaluate", "judge a model on labelled images"),
    "explore": ("explore", "look at a labelled folder before training on it"),
    "calibrate": ("calibrate", "fit a model's temperature and prediction sets on labelled images"),
    "laboratory": ("laboratory", "ask whether a model has learned the laboratory instead of the cell"),
    "robustness": ("robustness", "measure what noise, blur, light and stain leave of a model's accuracy"),
    "segment": ("segment", "outline leukocytes and their nuclei, and count the cells of a field"),
    "features": ("features", "measure the segmented cell of every labelled image"),
    "baselines": ("baselines", "judge SVM, random forest and decision tree on measured cells"),
    "recipes": ("recipes", "list the training recipes"),
    "train": ("train", "train a recipe on labelled images and write its bundle"),
    "reproduction": ("reproduction", "write what the papers reported beside what was measured here"),
    "audit": ("audit", "verify or export an audit log"),
    "samples": ("samples", "render the synthetic sample images"),
}


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of every verb; nothing heavy is imported."""
    parser = argparse.ArgumentParser("python -m dashboard", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (name, text) in VERBS.items():
        module = importlib.import_module(f"dashboard.commands.{name}")
        child = verbs.add_parser(verb, help=text, description=module.__doc__)
        module.add_arguments(child)
        child.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb.

    Returns
    -------
    int
        0 if it worked, 1 if it refused (the sentence is on stderr), 130 if it was stopped by Ctrl+C; wrong arguments
        exit with 2.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except SecondReadError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # `… | head` has read enough; nothing may be flushed to it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"{error.filename or 'A file'} cannot be read or written: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def _quieten_libraries() -> None:
    """Keep stderr for what Python says; to hear TensorFlow's C++ side too, set TF_CPP_MIN_LOG_LEVEL below 3."""
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") == "3":  # it greets before it looks at that level
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    _quieten_libraries()
    sys.exit(main())
