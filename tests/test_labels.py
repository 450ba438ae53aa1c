"""A labels CSV is used where it can be, and says of every other row why not."""

from pathlib import Path

import pandas as pd
import pytest

from dashboard.errors import LabelsError
from dashboard.labels import read_labels

CLASSES = ("neutrophil", "monocyte")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An images folder with a.png, b.png and sub/c.png; a file lies beside it."""
    images = tmp_path / "images"
    (images / "sub").mkdir(parents=True)
    for name in ("a.png", "b.png", "sub/c.png"):
        (images / name).write_bytes(b"x")
    (tmp_path / "outside.png").write_bytes(b"x")
    return images


def read(folder: Path, content: str | bytes, **options):
    file = folder.parent / "labels.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_labels(file, folder, **options)


def test_rows_come_out_as_text_with_their_files(folder):
    rows = read(folder, "path,label,subject,stain\na.png,neutrophil,007,NA\nsub/c.png,monocyte,,\n").rows
    expected = pd.DataFrame(
        {
            "path": ["a.png", "sub/c.png"],
            "label": ["neutrophil", "monocyte"],
            "subject": ["007", ""],
            "stain": ["NA", ""],
            "split": ["", ""],
            "site": ["", ""],
            "file": [str(folder.resolve() / "a.png"), str(folder.resolve() / "sub" / "c.png")],
        }
    )
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False)


def test_a_byte_order_mark_spaces_in_the_header_quotes_and_windows_line_ends_are_taken(folder):
    content = '\ufeffpath, label\r\n"a.png","neutrophil"\r\nb.png,monocyte\r\n'
    assert list(read(folder, content).rows["label"]) == ["neutrophil", "monocyte"]


@pytest.mark.parametrize(
    ("path", "label", "reason"),
    [
        ("none.png", "neutrophil", "There is no file 'none.png' in the images folder."),
        ("", "neutrophil", "There is no file '' in the images folder."),
        ("sub", "neutrophil", "There is no file 'sub' in the images folder."),
        ("../outside.png", "neutrophil", "The path '../outside.png' leads out of the images folder."),
        ("sub/../../outside.png", "neutrophil", "leads out of the images folder."),
        ("/etc/passwd", "neutrophil", "The path '/etc/passwd' leads out of the images folder."),
        ("link.png", "neutrophil", "The path 'link.png' leads out of the images folder."),
        ("b\0.png", "neutrophil", "There is no file"),
        ("x" * 100_000, "neutrophil", "There is no file 'xxx"),
        ("b.png", "", "The label is empty."),
        ("b.png", "blast", "The label 'blast' is not one of the model's classes."),
        ("b.png", "Neutrophil", "The label 'Neutrophil' is not one of the model's classes."),
        ("b.png", "y" * 100_000, "is not one of the model's classes."),
    ],
    ids=lambda value: value[:20].replace("\0", "NUL"),
)
def test_a_row_that_cannot_be_used_says_why_and_the_others_stay(folder, path, label, reason):
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    labels = read(folder, f"path,label\na.png,neutrophil\n{path},{label}\nsub/c.png,monocyte\n", classes=CLASSES)
    assert list(labels.rows["path"]) == ["a.png", "sub/c.png"]
    assert list(labels.rejected.columns) == ["path", "label", "reason"]
    (given,) = labels.rejected["reason"]
    assert reason in given
    assert len(given) < 250


def test_a_row_shorter_than_the_header_has_empty_fields(folder):
    labels = read(folder, "path,label,site\na.png,neutrophil\nb.png\n")
    assert list(labels.rows["site"]) == [""]
    assert list(labels.rejected["reason"]) == ["The label is empty."]


def test_a_path_that_leads_out_and_back_is_inside(folder):
    assert len(read(folder, "path,label\nsub/../a.png,neutrophil\n").rows) == 1


def test_without_classes_every_label_is_taken(folder):
    assert list(read(folder, "path,label\na.png,anything\n").rows["label"]) == ["anything"]


def test_where_keeps_rows_and_does_not_count_the_others_as_rejected(folder):
    content = "path,label,split\na.png,neutrophil,test\nb.png,blast,train\nsub/c.png,monocyte,train\n"
    labels = read(folder, content, classes=CLASSES, where={"split": "test"})
    assert (list(labels.rows["path"]), len(labels.rejected)) == (["a.png"], 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a UTF-8 CSV"),
        (b"\n\n", "cannot be read as a UTF-8 CSV"),
        ("path,label\n", "holds no rows"),
        ("file,label\na.png,neutrophil\n", "columns path and label; path missing, got 'file, label'"),
        ("path;label\na.png;neutrophil\n", "path and label missing, got 'path;label'"),
        ("path,label,label\na.png,neutrophil,monocyte\n", "each column once; 'label' stands there twice"),
        ("path,label,site,site,x,x\na.png,neutrophil,1,2,3,4\n", "'site', 'x' stands there twice"),
        ("path,label\na.png,neutrophil,extra\n", "cannot be read as a UTF-8 CSV"),
        ('path,label\n"a.png,neutrophil\n', "cannot be read as a UTF-8 CSV"),
        ("path,label\nä.png,neutrophil\n".encode("latin-1"), "cannot be read as a UTF-8 CSV"),
        ("path,label\na.png,neutrophil\n".encode("utf-16"), "cannot be read as a UTF-8 CSV"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "cannot be read as a UTF-8 CSV"),
        (bytes(500), "must have the columns path and label|cannot be read"),
        ("path,label\nnone.png,neutrophil\nb.png,\n", "None of the 2 rows .* The first: There is no file 'none.png'"),
    ],
    ids=range(14),
)
def test_a_csv_that_cannot_be_used_is_refused_with_one_sentence(folder, content, message):
    with pytest.raises(LabelsError, match=message) as refused:
        read(folder, content)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 450


def test_a_missing_csv_and_a_folder_in_its_place_are_refused(folder):
    with pytest.raises(LabelsError, match="There is no labels CSV"):
        read_labels(folder / "none.csv", folder)
    with pytest.raises(LabelsError, match="cannot be read"):
        read_labels(folder, folder)


def test_a_column_to_filter_by_must_be_there_and_match(folder):
    with pytest.raises(LabelsError, match="no column 'day' to filter by; it has path, label"):
        read(folder, "path,label\na.png,neutrophil\n", where={"day": "1"})
    with pytest.raises(LabelsError, match="holds no rows"):
        read(folder, "path,label\na.png,neutrophil\n", where={"label": "monocyte"})


def test_a_folder_that_is_not_there_is_named_by_the_first_reason(folder):
    with pytest.raises(LabelsError, match="None of the 1 rows"):
        (folder.parent / "labels.csv").write_text("path,label\na.png,neutrophil\n")
        read_labels(folder.parent / "labels.csv", folder / "nowhere")
