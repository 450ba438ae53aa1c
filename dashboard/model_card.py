"""The card in words: MODEL_CARD.md, after Mitchell et al. 2019, "Model cards", arXiv:1810.03993."""

from __future__ import annotations

from typing import Any

from dashboard.bundles import Card


def model_card(card: Card) -> str:
    """Write a card as Markdown; what nobody has measured is said to be unknown."""
    parts = [
        f"# {card.title}\n\n`{card.id}` · {card.backbone} · for research and education, **not a medical device**",
        "## Intended use\n\n" + (card.intended_use or "Not stated by whoever made it."),
        "## Known limits\n\n" + ("\n".join(f"- {limit}" for limit in card.known_limits) or "Not stated; assume many."),
        "## Classes, in logit order\n\n" + "\n".join(_class_lines(card)),
        "## Input\n\n" + _input_line(card),
        "## Confidence\n\n" + "\n".join(_confidence_lines(card)),
        "## Held-out evaluation\n\n" + (_listing(card.evaluation) or "None in this bundle."),
        "## Training\n\n" + (_listing(card.training) or "Not known."),
    ]
    return "\n\n".join(parts) + "\n"


def _class_lines(card: Card) -> list[str]:
    return [
        f"- `{info.name}`: {info.display_name}{' (critical class)' if info.critical else ''}" for info in card.classes
    ]


def _input_line(card: Card) -> str:
    spec = card.input
    what = "the largest centred region" if spec.resize == "centre" else "the whole image"
    crop = f", of which the central {spec.crop:.1%} of the side" if spec.crop < 1 else ""
    glass = f" The empty glass is brought to RGB {', '.join(f'{c:.0f}' for c in spec.glass)}." if spec.glass else ""
    pixels = f"{spec.height}x{spec.width} pixels: {what}{crop}"
    return f"{pixels}; scaling `{spec.scaling}`, contrast `{spec.contrast}`.{glass}"


def _confidence_lines(card: Card) -> list[str]:
    lines = []
    if card.calibration:
        fitted = card.calibration
        lines.append(
            f"- Temperature {fitted.temperature:.3f}, fitted on {fitted.n} images ({fitted.set}), {fitted.date}."
        )
    else:
        lines.append("- **Uncalibrated**: its confidence has not been checked against held-out data.")
    if card.prediction_set:
        rule = card.prediction_set
        lines.append(f"- {rule.level:.0%} prediction sets: every class of probability {rule.threshold:.4f} or more.")
    lines.append(f"- Unidentified below a confidence of {card.unidentified_below:.2f}.")
    if card.out_of_distribution:
        flag = card.out_of_distribution
        lines.append(
            f"- Flagged as outside the training data above a score of {flag.threshold:.3g} ({flag.method}); "
            f"{flag.false_flag_rate:.1%} of held-out cells of its own kind are."
        )
    if card.second_look:
        sizes = " and ".join(f"{size:g}" for size in card.second_look)
        lines.append(f"- A flagged image is looked at again at {sizes} of its size; the logits are averaged.")
    return lines


def _listing(values: dict[str, Any]) -> str:
    lines = []
    for name, value in values.items():
        title = name.replace("_", " ")
        if isinstance(value, dict) and "sentence" in value:  # a check: its sentence first, then its numbers
            lines.append(f"- {title}: {value['sentence']}")
            lines += [
                f"  - {key.replace('_', ' ')}: {_plain(item)}" for key, item in value.items() if key != "sentence"
            ]
        else:
            lines.append(f"- {title}: {_plain(value)}")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "–".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    return str(value)
