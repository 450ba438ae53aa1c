"""A model bundle: a folder of model_store with its network, its card, its held-out logits and a golden image.

    model_store/<id>/
        model.keras (or model.h5)   the network
        card.json                   everything the app must know about it, with the SHA-256 of every other file
        evaluation.csv              held-out logits: what the performance page computes from
        out_of_distribution.npz     statistics of the training features
        golden/image.png            an image, and in expected.json the logits it must give
        MODEL_CARD.md               the card in words

No TensorFlow here: bundles are listed and verified before the first page is drawn.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.errors import BundleError
from dashboard.preprocessing import InputSpec
from dashboard.record_kinds import wrong_kind
from dashboard.records import write_atomically

SCHEMA = 1
MODEL_STORE = Path(__file__).resolve().parent.parent / "model_store"
DEFAULT_MODEL = "pbc8-mobilenetv2"  # the one for a first look: the most classes, and the samples are of its kind
CARD = "card.json"
MODEL_FILES = ("model.keras", "model.h5")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ClassInfo:
    """One class, at its place in the logits.

    Attributes
    ----------
    name : str
        As in the labels CSV.
    display_name : str
        As on screen; the field's standard term.
    critical : bool
        Never confirmed in bulk, and first in the queue.
    """

    name: str
    display_name: str
    critical: bool = False


@dataclass(frozen=True)
class Calibration:
    """Temperature (> 0) that logits are divided by, the set of n images it was fitted on, and the date."""

    temperature: float
    set: str
    n: int
    date: str


@dataclass(frozen=True)
class PredictionSetRule:
    """A class belongs to the set if its calibrated probability is at least `threshold`; `level` is the coverage."""

    level: float
    threshold: float


@dataclass(frozen=True)
class OutOfDistributionRule:
    """An image is flagged if its score exceeds `threshold`; `false_flag_rate` is measured on held-out cells."""

    method: str
    threshold: float
    false_flag_rate: float


@dataclass(frozen=True)
class Quality:
    """What the training images look like: see `dashboard.quality`."""

    sharpness_low: float
    colour_low: tuple[float, float, float]
    colour_high: tuple[float, float, float]


@dataclass(frozen=True)
class Card:
    """All that is known about a model; `card.json` as a record.

    Attributes
    ----------
    classes : tuple of ClassInfo
        In logit order.
    output : {"logits", "softmax"}
        What the file's last layer gives; the classifier works with logits either way.
    calibration, prediction_set, out_of_distribution, quality
        None where nobody has measured them; the app says so.
    unidentified_below : float
        Calibrated confidence in [0, 1] under which a cell is Unidentified.
    second_look : tuple of float
        Sizes, relative to the input's, from 0.34 to 1, at which an image outside the training data is looked at again;
        the logits are then the mean over all sizes. Empty for never.
    sha256 : dict of str to str
        Relative path of every other file of the bundle → SHA-256 in hexadecimal.
    """

    id: str
    title: str
    backbone: str
    classes: tuple[ClassInfo, ...]
    input: InputSpec
    output: str = "logits"
    calibration: Calibration | None = None
    prediction_set: PredictionSetRule | None = None
    unidentified_below: float = 0.5
    out_of_distribution: OutOfDistributionRule | None = None
    quality: Quality | None = None
    second_look: tuple[float, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    intended_use: str = ""
    known_limits: tuple[str, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names in logit order."""
        return tuple(info.name for info in self.classes)

    @property
    def critical(self) -> frozenset[str]:
        """Names of the critical classes."""
        return frozenset(info.name for info in self.classes if info.critical)

    @property
    def temperature(self) -> float:
        """Temperature for the softmax; 1 for an uncalibrated model."""
        return self.calibration.temperature if self.calibration else 1.0

    def display_name(self, name: str) -> str:
        """Return a class's name as on screen; a name the card does not know, as it is."""
        return next((info.display_name for info in self.classes if info.name == name), name)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have the hashes that its card states."""

    folder: Path
    card: Card

    @property
    def model_file(self) -> Path:
        """The network's file."""
        return _model_file(self.folder)

    @property
    def model_sha256(self) -> str:
        """SHA-256 of the network's file: what the audit log records."""
        return self.card.sha256[self.model_file.name]

    @property
    def evaluation_file(self) -> Path:
        """Held-out logits; may be absent."""
        return self.folder / "evaluation.csv"

    @property
    def ood_file(self) -> Path:
        """Feature statistics; may be absent."""
        return self.folder / "out_of_distribution.npz"

    @property
    def golden_image(self) -> Path:
        """The image whose logits are known."""
        return self.folder / "golden" / "image.png"

    @property
    def golden_logits(self) -> Path:
        """The logits that it must give, as JSON: class name → logit, in logit order."""
        return self.folder / "golden" / "expected.json"


@dataclass(frozen=True)
class BundleStatus:
    """One folder of the model store: a bundle, or the sentence that says why it is none."""

    id: str
    folder: Path
    bundle: Bundle | None
    problem: str = ""


def read_card(folder: Path) -> Card:
    """Read `card.json` without looking at the other files.

    Raises
    ------
    BundleError
        Missing, not JSON, a field missing or of the wrong kind, no classes or the same class twice.
    """
    file = folder / CARD
    try:
        fields = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BundleError(f"The bundle {folder.name} has no readable {CARD}.") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{CARD} of {folder.name} is not valid JSON: {error}.") from error
    try:
        card = _card_from(fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{CARD} of {folder.name} does not hold what a card must: {error}.") from error
    _check(card, folder.name)
    return card


def write_card(folder: Path, card: Card) -> Card:
    """Hash the bundle's files and write `card.json`, atomically; returns the card as written."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / CARD)
    hashes = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files if not path.name.startswith(".")}
    card = dataclasses.replace(card, sha256=hashes)
    _check(card, folder.name)
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CARD, text.encode("utf-8"))
    return card


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle and verify the hash of every file.

    Raises
    ------
    BundleError
        As `read_card`; also a file that is missing, altered or not in the card.
    """
    card = read_card(folder)
    bundle = Bundle(folder, card)
    read = (bundle.model_file, bundle.evaluation_file, bundle.ood_file, bundle.golden_image, bundle.golden_logits)
    present = {file.relative_to(folder).as_posix() for file in read if file.is_file()}
    for name in sorted(present - set(card.sha256)):
        raise BundleError(f"The card of {card.id} states no SHA-256 for {name}, so it cannot be trusted.")
    for name, stated in card.sha256.items():
        try:
            _verify(folder, name, stated, card.id)
        except (OSError, ValueError) as error:  # not to be read, a name that is too long or holds a NUL
            raise BundleError(f"The bundle {card.id} names a file that cannot be read: {name[:80]!r}.") from error
    return bundle


def list_bundles(store: Path = MODEL_STORE) -> list[BundleStatus]:
    """List every folder of the model store, verified or with its problem; empty if there is no store.

    The default model comes first, the others by name.
    """
    statuses = []
    folders = [path for path in store.glob("*") if path.is_dir() and not path.name.startswith(".")]
    for folder in sorted(folders, key=lambda path: (path.name != DEFAULT_MODEL, path.name)):
        try:
            statuses.append(BundleStatus(folder.name, folder, read_bundle(folder)))
        except BundleError as error:
            statuses.append(BundleStatus(folder.name, folder, None, str(error)))
    return statuses


def find_bundle(model: str, store: Path = MODEL_STORE) -> Bundle:
    """Find a bundle by its id in the store, or by the path of its folder.

    Raises
    ------
    BundleError
        There is none; the message lists what there is.
    """
    by_id, by_path = store / model, Path(model)
    if _ID.fullmatch(model) and by_id.is_dir():
        return read_bundle(by_id)
    with contextlib.suppress(OSError):  # a name that no file can have
        if (by_path / CARD).is_file():
            return read_bundle(by_path)
    there = ", ".join(status.id for status in list_bundles(store)) or "none"
    raise BundleError(f"There is no model {model[:80]!r}. Bundles in the model store: {there}.")


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def check_id(identifier: str) -> str:
    """Return a bundle id that is safe as a folder name; BundleError otherwise."""
    if not _ID.fullmatch(identifier):
        raise BundleError(f"A bundle id has lower-case letters, digits, '.', '_' and '-' only; got {identifier!r}.")
    return identifier


def _verify(folder: Path, name: str, stated: str, identifier: str) -> None:
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"The card of {identifier} names {name!r}, which is outside its folder.")
    if not file.is_file():
        raise BundleError(f"The bundle {identifier} lacks {name}; copy the bundle again.")
    if sha256_of(file) != stated:
        raise BundleError(f"{name} of {identifier} is not the file that the card describes (SHA-256 differs).")


def _model_file(folder: Path) -> Path:
    for name in MODEL_FILES:
        if (folder / name).is_file():
            return folder / name
    raise BundleError(f"The bundle {folder.name} lacks model.keras; copy the bundle again.")


def _card_from(fields: Mapping[str, Any]) -> Card:
    if fields["schema"] != SCHEMA:
        raise ValueError(f"schema {fields['schema']!r}, where this version reads {SCHEMA}")
    known = {item.name for item in dataclasses.fields(Card)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown fields {', '.join(unknown)}")
    parts: dict[str, Any] = dict(fields)
    parts["classes"] = tuple(ClassInfo(**info) for info in fields["classes"])
    parts["input"] = InputSpec(**fields["input"])
    if parts["input"].glass:
        parts["input"] = dataclasses.replace(parts["input"], glass=tuple(parts["input"].glass))
    parts["second_look"] = tuple(fields.get("second_look", ()))
    parts["known_limits"] = tuple(fields.get("known_limits", ()))
    for name, kind in (
        ("calibration", Calibration),
        ("prediction_set", PredictionSetRule),
        ("out_of_distribution", OutOfDistributionRule),
        ("quality", Quality),
    ):
        if fields.get(name) is not None:
            parts[name] = kind(**fields[name])
    if parts.get("quality"):
        quality = parts["quality"]
        parts["quality"] = Quality(quality.sharpness_low, tuple(quality.colour_low), tuple(quality.colour_high))
    return Card(**parts)


def _check(card: Card, folder: str) -> None:
    problem = wrong_kind(card)
    if problem:
        raise BundleError(f"{CARD} of {folder} does not hold what a card must: {problem}.")
    check_id(card.id)
    names = card.class_names
    if len(names) < 2 or len(set(names)) != len(names) or not all(names):
        raise BundleError(f"The card of {folder} must name at least two classes, each once; it names {list(names)}.")
    if any("|" in name for name in names):
        raise BundleError(f"Class names of {folder} may not hold '|', which separates the classes of a set.")
    if not card.temperature > 0:
        raise BundleError(f"The temperature of {folder} must be positive; it is {card.temperature}.")
    if not all(0.34 <= size <= 1 for size in card.second_look):
        raise BundleError(f"second_look of {folder} must hold sizes from 0.34 to 1; it holds {list(card.second_look)}.")
    if not 0 <= card.unidentified_below <= 1:
        raise BundleError(f"unidentified_below of {folder} must be in [0, 1]; it is {card.unidentified_below}.")
