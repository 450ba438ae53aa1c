"""What `laboratory.measure` found: its records, the sentence that they come to, and laboratory.json."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.errors import BundleError
from dashboard.record_kinds import wrong_kind

FILE = "laboratory.json"
SCHEMA = 1
FEWEST = 20  # images of a group under which nothing is concluded from it
SURE_GAP = 0.10
POSSIBLE_GAP = 0.20
SURE_BACKGROUND = 0.10


@dataclass(frozen=True)
class Estimate:
    """A share of n images, in [0, 1], with its 95 % interval."""

    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SiteReading:
    """How well the site is told, as balanced accuracy over sites; within one class, or over all ("").

    Attributes
    ----------
    sites : dict of str to int
        Images of each.
    chance : float
        1 / sites.
    features, colours : Estimate
        Read from the model's features; from mean and standard deviation of the three channels.
    label : Estimate or None
        Read from the class alone: what the features tell beyond it is the laboratory. None within a class.
    """

    class_name: str
    sites: dict[str, int]
    chance: float
    features: Estimate
    colours: Estimate
    label: Estimate | None


@dataclass(frozen=True)
class SiteRecall:
    """How many of the n images of a class at a site are recognised, with the 95 % interval."""

    class_name: str
    site: str
    n: int
    correct: int
    recall: float
    low: float
    high: float


@dataclass(frozen=True)
class Gap:
    """Recall of a class at its best site less that at its worst, with the 95 % interval."""

    class_name: str
    best: str
    worst: str
    n: int
    gap: float
    low: float
    high: float


@dataclass(frozen=True)
class Masking:
    """Balanced accuracy over the classes on the same n images: whole, without the cell, and the cell alone.

    `chance` is what one answer to all gets; `site_alone` the most that an answer chosen by the site could.
    """

    n: int
    chance: float
    site_alone: float
    whole: Estimate
    background: Estimate
    cell: Estimate


@dataclass(frozen=True)
class LaboratoryCheck:
    """The answers to the three questions.

    Attributes
    ----------
    images, sites
        Images used, and how many of each site.
    site_reading : tuple of SiteReading
        Over all images first; empty for one site.
    recall, gaps : tuple
        By class and site; by class, the widest gap first.
    masking : Masking or None
    not_segmented : int
        Images whose cell was not found, left out of `masking`.
    left_out : dict of str to int
        Reason → rows.
    notes : tuple of str
        What could not be asked, a sentence each.
    learned : bool or None
        None where the images cannot tell.
    sentence : str
        See `conclude`.
    """

    model_id: str
    set: str
    images: int
    sites: dict[str, int]
    site_reading: tuple[SiteReading, ...]
    recall: tuple[SiteRecall, ...]
    gaps: tuple[Gap, ...]
    masking: Masking | None
    not_segmented: int
    left_out: dict[str, int]
    notes: tuple[str, ...] = ()
    learned: bool | None = None
    sentence: str = ""
    schema: int = field(default=SCHEMA)

    @property
    def surest_gap(self) -> Gap | None:
        """The gap whose interval begins highest; None without gaps."""
        return max(self.gaps, key=lambda gap: gap.low, default=None)

    def as_json(self) -> str:
        """Write as strict JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def for_card(self) -> dict[str, Any]:
        """Return the sentence and the numbers behind it, as they stand on a card; without those not measured."""
        reading, numbers = _reading(self), {"set": self.set, "images": self.images}
        short: dict[str, Any] = {"sentence": self.sentence, **numbers}
        if reading:
            short |= {"site_from_features": reading.features.value, "site_by_chance": reading.chance}
        if self.surest_gap:
            short["gap_in_recall"] = self.surest_gap.gap
        if self.masking:
            masking = self.masking
            short |= {"accuracy_without_the_cell": masking.background.value, "by_chance": masking.chance}
        return short


def conclude(check: LaboratoryCheck, display_name: Callable[[str], str] = str) -> LaboratoryCheck:
    """Add the sentence, its verdict and the notes.

    - Site *can be read* from the features if the lower end of the interval lies above halfway from chance to
      certainty; *can partly be read* if it lies above chance. It is judged within the class with most images, if there
      is one with 20 at two sites, else over all. A model that tells sites apart need not use it: no verdict from this.
    - A class *is lost* at a site if the lower end of its gap in recall is above 0.10; that none is lost can be told if
      every upper end is 0.20 or less.
    - The background *is read* if the lower end of the accuracy without the cell is more than 0.10 above chance.
    - `learned` is True if a class is lost or the background is read; else False if there are gaps to judge by and none
      is lost; else None.
    """
    lost = any(gap.low > SURE_GAP for gap in check.gaps)
    narrow = bool(check.gaps) and all(gap.high <= POSSIBLE_GAP for gap in check.gaps)
    masking = check.masking
    background = masking is not None and masking.background.low > masking.chance + SURE_BACKGROUND
    learned = True if lost or background else False if narrow else None
    clauses = [_site_clause(check, display_name), _gap_clause(check, display_name)]
    if masking is not None:
        clauses.append(_background_clause(masking, background))
    ending = {
        True: "it has learned the laboratory",
        False: "no sign that it has learned the laboratory",
        None: "these images cannot tell whether it has learned the laboratory",
    }[learned]
    joined = "; ".join(clause for clause in clauses if clause)
    sentence = f"{joined[:1].upper()}{joined[1:]}: {ending}." if joined else f"{ending[:1].upper()}{ending[1:]}."
    notes = tuple(_notes(check, display_name))
    return dataclasses.replace(check, learned=learned, sentence=sentence, notes=notes)


def read_check(file: Path) -> LaboratoryCheck:
    """Read a laboratory.json; BundleError if it does not hold one."""
    try:
        fields = json.loads(file.read_text("utf-8"))
        if fields["schema"] != SCHEMA:
            raise ValueError(f"schema {fields['schema']!r}, where this version reads {SCHEMA}")
        check = _from(fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{file.name} does not hold a laboratory check; run `laboratory` again ({error}).") from error
    problem = wrong_kind(check)
    if problem:
        raise BundleError(f"{file.name} does not hold a laboratory check; run `laboratory` again ({problem}).")
    return check


def _from(fields: dict[str, Any]) -> LaboratoryCheck:
    parts = dict(fields)
    parts["site_reading"] = tuple(_with_estimates(SiteReading, row) for row in fields["site_reading"])
    parts["recall"] = tuple(SiteRecall(**row) for row in fields["recall"])
    parts["gaps"] = tuple(Gap(**row) for row in fields["gaps"])
    parts["masking"] = fields["masking"] and _with_estimates(Masking, fields["masking"])
    parts["notes"] = tuple(fields["notes"])
    return LaboratoryCheck(**parts)


def _with_estimates(kind: Any, fields: dict[str, Any]) -> Any:
    names = {"features", "colours", "label", "whole", "background", "cell"}
    return kind(**{name: Estimate(**value) if name in names and value else value for name, value in fields.items()})


def _reading(check: LaboratoryCheck) -> SiteReading | None:
    """Within the class with most images, if there is one; else over all classes."""
    within = [reading for reading in check.site_reading if reading.class_name]
    return max(within or check.site_reading, key=lambda reading: reading.features.n, default=None)


def _site_clause(check: LaboratoryCheck, display_name: Callable[[str], str]) -> str:
    reading = _reading(check)
    if reading is None:
        return ""
    found, chance = reading.features, reading.chance
    how = "can" if found.low > (1 + chance) / 2 else "can partly" if found.low > chance else "can hardly"
    numbers = f"{found.value:.2f} against {chance:.2f} by chance"
    if reading.class_name:
        return f"within {display_name(reading.class_name)}, site {how} be read from its features ({numbers})"
    assert reading.label is not None
    return f"site {how} be read from its features ({numbers}, and {reading.label.value:.2f} from the class alone)"


def _gap_clause(check: LaboratoryCheck, display_name: Callable[[str], str]) -> str:
    gap = check.surest_gap
    if gap is None:
        return ""
    recall = {(row.class_name, row.site): row.recall for row in check.recall}
    best, worst = recall[gap.class_name, gap.best], recall[gap.class_name, gap.worst]
    if gap.low > SURE_GAP:
        return (
            f"{display_name(gap.class_name)} of {gap.worst} is recognised in {_percent(worst)} of cases "
            f"against {_percent(best)} at {gap.best}"
        )
    return (
        f"no class is surely recognised worse at one site than at another ({display_name(gap.class_name)}: "
        f"{_percent(best)} at {gap.best}, {_percent(worst)} at {gap.worst}, a gap of {100 * gap.low:.0f} to "
        f"{100 * gap.high:.0f} points)"
    )


def _background_clause(masking: Masking, read: bool) -> str:
    numbers = f"in {_percent(masking.background.value)} of cases, where chance gives {_percent(masking.chance)}"
    return f"without the cell it is {'still ' if read else ''}right {numbers}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _notes(check: LaboratoryCheck, display_name: Callable[[str], str]) -> list[str]:
    notes = []
    if len(check.sites) == 1:
        notes.append(
            f"All images are of one site ({next(iter(check.sites))}), so sites cannot be compared: "
            "add images of the same classes from another."
        )
    places: dict[str, list[SiteRecall]] = {}
    for row in check.recall:
        places.setdefault(row.class_name, []).append(row)
    if len(check.sites) > 1:
        for site in check.sites:
            only = [display_name(name) for name, rows in places.items() if [row.site for row in rows] == [site]]
            if only:
                notes.append(f"Seen at {site} alone, so that nothing is known of it elsewhere: {', '.join(only)}.")
    for name, rows in places.items():
        few = [f"{row.n} at {row.site}" for row in rows if row.n < FEWEST]
        if few:
            notes.append(
                f"{display_name(name)} has fewer than {FEWEST} images ({', '.join(few)}): shown, and not compared."
            )
    if check.masking is None:
        notes.append(
            f"Background and cell could not be told apart in enough images: {FEWEST} of two classes or more are "
            f"needed; the cell was not found in {check.not_segmented} of {check.images}."
        )
    elif check.not_segmented:
        notes.append(
            f"The cell was not found in {check.not_segmented} of {check.images} images; these were not masked."
        )
    return notes
