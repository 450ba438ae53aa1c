"""The papers' rows beside our results: docs/REPRODUCTION.md, with no number of ours typed into it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any

from dashboard.training.recipes import RECIPES, Recipe
from dashboard.training.recipes.papers import PAPERS as PAPER_RECIPES
from dashboard.training.reported import ALIKE, BASELINES, PAPERS, RESULTS, Results, Row, difference, pairs, variant

NOISE = "gaussian_"  # in front of sigma, in a result's extra
NOT_YET = "*not run yet*"
NOT_HERE = "*not run here*"
_PROTOCOLS = ("leaky", "holdout", "kfold", "split", "subject", "site")
_NO_SETTINGS = {"name", "title", "source", "paper", "data", "data_licence", "intended_use", "known_limits", "classes"}
_AFTER_FITTING = {"protocol", "protocol_note", "unidentified_below", "feature_layers", "second_look"}


def document(rows: Sequence[Row], results: Results, link: str = RESULTS) -> str:
    """Write the document.

    Parameters
    ----------
    link : str
        Where the result files are, as seen from the document.

    Returns
    -------
    str
        Markdown.
    """
    parts = ["# Reproduction", _opening(rows, results, link), _worth(results)]
    for paper in sorted({row.paper for row in rows}):
        parts += _paper(paper, [row for row in rows if row.paper == paper], results, link)
    parts.append(_unnamed(rows, results, link))
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(rows: Sequence[Row], results: Results, link: str) -> str:
    theirs = sum(any(stem in results for stem in row.their_protocol_result.split()) for row in rows)
    honest = sum(any(stem in results for stem in row.honest_result.split()) for row in rows)
    papers = PurePosixPath(link).parent / PAPERS
    return f"""\
What five papers reported, beside what was measured here: under the paper's own way of dividing the images, where that
could be run, and under one that keeps apart what must be kept apart. **A number stands only beside its protocol**: two
that were divided differently cannot be compared, nor can two from different images. Research and education only; **not
a medical device**.

Of {len(rows)} reported rows {theirs} have been run under the paper's protocol and {honest} under the honest one, some
with another network or for fewer epochs, which is then said; the others say why not. Ours are shares of all judged
images with their 95 % interval (Wilson; bootstrap for macro-F1) and, with several folds, mean ± standard deviation over
them. The intervals count each image as if it were of another person; cells of one person are alike, so the truth is
less sure than they say. The times are theirs; ours are in the benchmarks.

`python -m dashboard reproduction` writes this page from [{PAPERS}]({papers}) and the result files; no number of ours is
typed."""


def _worth(results: Results) -> str:
    lines = []
    for first, second in pairs(results):
        a, b = results[first], results[second]
        gap, low, high = difference(a["pooled"], b["pooled"])
        unlike = [f"{key} {a[key]} and {b[key]}" for key in ALIKE if a[key] != b[key]]
        lines.append(
            [
                f"`{a['recipe']}`{variant(first)}",
                f"{a['protocol']}: {_percent(a['pooled'])}",
                f"{b['protocol']}: {_percent(b['pooled'])}",
                f"**{100 * gap:+.2f}** ({100 * low:+.2f} to {100 * high:+.2f})",
                f"{a['pooled']['macro_f1'] - b['pooled']['macro_f1']:+.4f}",
                "; ".join(unlike) or "nothing",
            ]
        )
    head = ["recipe", "one protocol", "the other", "accuracy, points (95 %)", "macro-F1", "what else differs"]
    used = {results[stem]["protocol"]: results[stem]["protocol_note"] for pair in pairs(results) for stem in pair}
    return "## What the difference is worth\n\n" + (
        "The same recipe on the same data, divided in two ways. What else differs is in the last column; the share of "
        "the images that is trained on differs with the division. Interval: Newcombe, from the two Wilson intervals, "
        "as if the judged images were independent.\n\n"
        + _table(head, lines)
        + "\n\n"
        + "\n".join(f"- *{name}*: {note}." for name, note in sorted(used.items()))
        if lines
        else "No recipe has been run under two protocols yet."
    )


def _paper(paper: str, rows: Sequence[Row], results: Results, link: str) -> list[str]:
    own = [recipe for recipe in PAPER_RECIPES if recipe.paper == paper]
    noisy = [row for row in rows if row.part.startswith(NOISE)]
    parts = [
        f"## {paper}: {own[0].source}" if own else f"## {paper}",
        f"Their data: {rows[0].data}.\n\nTheir protocol: {rows[0].protocol}.",
        _table(
            ["system", "theirs", "ours, their protocol", "ours, honest protocol", "command"],
            [_line(row, rows[0], results, link) for row in rows if row not in noisy],
        ),
    ]
    if noisy:
        parts += ["### Under Gaussian noise", _noise(noisy, results)]
    if BASELINES & {row.recipe for row in rows}:
        parts += ["### Baselines on measured cells", _baselines(results)]
    parts += [_extras(rows, results), _differs(rows, results)]
    return parts


def _line(row: Row, first: Row, results: Results, link: str) -> list[str]:
    theirs = [row.reported]
    theirs += [f"data: {row.data}"] if row.data != first.data else []
    theirs += [f"protocol: {row.protocol}"] if row.protocol != first.protocol else []
    ours = [_ours(row, stems.split(), results, link) for stems in (row.their_protocol_result, row.honest_result)]
    if not row.stems:
        ours[1] = f"{NOT_HERE}, for the same reason"
    return [row.system, "; ".join(theirs), *ours, _commands(row, results)]


def _ours(row: Row, stems: Sequence[str], results: Results, link: str) -> str:
    if not stems:
        return f"{NOT_HERE}: {row.not_run}"
    return "<br>".join(
        f"[{stem}]({link}/{stem}.json): {_measured(results[stem], row)}" if stem in results else f"{stem}: {NOT_YET}"
        for stem in stems
    )


def _measured(result: Mapping[str, Any], row: Row) -> str:
    pooled = result["pooled"]
    if row.part == "per_class":
        recalls = [of["recall"] for of in pooled["per_class"].values()]
        return f"recall of a class {100 * min(recalls):.2f}–{100 * max(recalls):.2f} %, n = {pooled['n']:,}"
    if row.part:
        found = result.get("extra", {}).get(row.part)
        return f"{_percent(found)}, n = {found['n']:,}" if found else NOT_YET
    return f"accuracy {_percent(pooled)}, {_others(result)}, n = {pooled['n']:,}{_over_folds(result)}"


def _others(result: Mapping[str, Any]) -> str:
    pooled = result["pooled"]
    between = (
        f" ({_share(pooled['macro_f1_low'])} to {_share(pooled['macro_f1_high'])})" if "macro_f1_low" in pooled else ""
    )
    parts = [f"macro-F1 {_share(pooled['macro_f1'])}{between}"]
    parts += [f"weighted F1 {_share(pooled['weighted_f1'])}"] if "weighted_f1" in pooled else []
    parts += [f"AUC {pooled['auc']:.4f}"] if pooled.get("auc") is not None else []
    return ", ".join(parts)


def _over_folds(result: Mapping[str, Any]) -> str:
    many = len(result["folds"])
    if many == 1:
        return ", one fit"
    mean, sd = result["mean"], result["sd"]
    return (
        f", {many} folds: accuracy {100 * mean['accuracy']:.2f} ± {100 * sd['accuracy']:.2f} %, "
        f"macro-F1 {_share(mean['macro_f1'])} ± {_share(sd['macro_f1'])}"
    )


def _commands(row: Row, results: Results) -> str:
    lines = list(dict.fromkeys(f"`{results[stem]['command']}`" for stem in row.stems if stem in results))
    if not lines and row.recipe in RECIPES:
        start = "" if RECIPES[row.recipe].backbone == "ScratchCNN" else " --init imagenet"
        lines = [
            f"it would be `python -m dashboard train --recipe {row.recipe} --protocol {RECIPES[row.recipe].protocol}"
            f"{start} --labels CSV --images DIR --out DIR`"
        ]
    return "<br>".join(lines)


def _noise(rows: Sequence[Row], results: Results) -> str:
    stems = list(dict.fromkeys(stem for row in rows for stem in row.stems))
    lines = [["0", "", *(_percent(results[stem]["pooled"]) if stem in results else NOT_YET for stem in stems)]]
    for row in rows:
        ours = (_measured(results[stem], row) if stem in results else NOT_YET for stem in stems)
        lines.append([row.part.removeprefix(NOISE), row.value, *ours])
    head = ["σ, 8-bit units", f"theirs, {rows[0].measure}", *(f"ours, {stem}" for stem in stems)]
    return "Added to the test images, for which the model is not fitted anew.\n\n" + _table(head, lines)


def _baselines(results: Results) -> str:
    runs = {stem: result for stem, result in results.items() if result["recipe"] in BASELINES}
    shown = [name for name in _PROTOCOLS if any(result["protocol"] == name for result in runs.values())]
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for result in runs.values():
        key = (result["data"], result.get("variant", ""), result["recipe"].removeprefix("p2-"))
        pooled = result["pooled"]
        score = f"{_percent(pooled)}, macro-F1 {_share(pooled['macro_f1'])}, n = {pooled['n']:,}{_over_folds(result)}"
        groups.setdefault(key, {})[result["protocol"]] = score
    lines = [[*key, *(found.get(name, "") for name in shown)] for key, found in sorted(groups.items())]
    if not lines:
        return NOT_YET
    return (
        "Balance by SMOTE or undersampling acts inside the training fold alone; under *leaky*, SMOTE makes new "
        "cells from all, those of the test among them, and all are divided after.\n\n"
        + _table(["cells", "balance", "model", *shown], lines)
    )


def _extras(rows: Sequence[Row], results: Results) -> str:
    lines = [
        [stem, name, text]
        for stem in _run(rows, results)
        for key, value in results[stem].get("extra", {}).items()
        if not key.startswith(NOISE)
        for name, text in _flat(key, value)
    ]
    return "### Beside the test images\n\n" + _table(["result", "what", "measured"], lines) if lines else ""


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, Mapping):
        return [(name, str(value))]
    if "accuracy" in value:
        return [(name, f"{_percent(value)}, n = {value['n']:,}")]
    return [found for key, inner in value.items() for found in _flat(f"{name}: {key}", inner)]


def _differs(rows: Sequence[Row], results: Results) -> str:
    notes = dict.fromkeys(RECIPES[row.recipe].protocol_note for row in rows if row.recipe in RECIPES)
    lines = [f"- {note}" for note in notes if note]
    wanted = {stem: row.recipe for row in reversed(rows) for stem in row.stems if row.recipe}
    lines += [
        _how(stem, results[stem], wanted.get(stem, ""))
        for stem in _run(rows, results)
        if stem.split("--")[0] in RECIPES
    ]
    return "### Where ours differ\n\n" + "\n".join(lines) if lines else ""


def _how(stem: str, result: Mapping[str, Any], wanted: str) -> str:
    ours = RECIPES[result["recipe"]]
    epochs = f"at most {result['epochs']} epochs" + (
        f" (the recipe says {ours.epochs})" if result["epochs"] != ours.epochs else ""
    )
    text = f"- `{stem}`: {epochs}, initial weights: {result['initial_weights']}, seed {result['seed']}. "
    text += f"Divided: {result['protocol_note']}. Data: {result['data']}."
    if result["protocol"] in ("subject", "site"):
        text += (
            " Accuracy by fold: "
            + ", ".join(
                f"{fold['fold']} {100 * fold['accuracy']:.2f} % (n = {fold['n_test']:,})" for fold in result["folds"]
            )
            + "."
        )
    if wanted not in RECIPES or wanted == ours.name:
        return text
    changed = ", ".join(settings_changed(ours, RECIPES[wanted]))
    return f"{text} A stand-in for `{wanted}`: {ours.title}; in brackets what `{wanted}` has: {changed}."


def settings_changed(ours: Recipe, theirs: Recipe) -> list[str]:
    """List the settings in which a recipe differs from another: "batch 32 (16)"; of augmentation, only that it does."""
    changed = []
    for field in fields(Recipe):
        a, b = getattr(ours, field.name), getattr(theirs, field.name)
        if a == b or field.name in _NO_SETTINGS | _AFTER_FITTING:
            continue
        if field.name == "augmentation":
            changed.append("other augmentation")
        elif dataclasses.is_dataclass(a):
            changed += [
                f"{field.name} {inner.name} {_plain(getattr(a, inner.name))} ({_plain(getattr(b, inner.name))})"
                for inner in fields(a)
                if getattr(a, inner.name) != getattr(b, inner.name)
            ]
        else:
            changed.append(f"{field.name} {_plain(a)} ({_plain(b)})")
    return [text.replace("_", " ") for text in changed]


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unnamed(rows: Sequence[Row], results: Results, link: str) -> str:
    named = {stem for row in rows for stem in row.stems}
    whole = dataclasses.replace(rows[0], part="")
    lines = [
        [f"[{stem}]({link}/{stem}.json)", result["protocol_note"], _measured(result, whole), f"`{result['command']}`"]
        for stem, result in results.items()
        if stem not in named and result["recipe"] not in BASELINES
    ]
    head = ["result", "protocol", "measured", "command"]
    return "## Results that no paper's row names\n\n" + _table(head, lines) if lines else ""


def _run(rows: Sequence[Row], results: Results) -> list[str]:
    return [stem for stem in dict.fromkeys(stem for row in rows for stem in row.stems) if stem in results]


def _share(value: float | None) -> str:
    return "unknown" if value is None or math.isnan(value) else f"{value:.4f}"


def _percent(part: Mapping[str, Any]) -> str:
    low, high = 100 * part["accuracy_low"], 100 * part["accuracy_high"]
    return f"{100 * part['accuracy']:.2f} % ({low:.2f} to {high:.2f})"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    written = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in written)
