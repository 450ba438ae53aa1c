"""Files, folders and archives, the hostile ones too."""

import io
import stat
import struct
import zipfile

import pytest

from dashboard import sources
from dashboard.errors import SourceError
from dashboard.sources import open_paths


def archive(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def names(source):
    return [item.name for item in source]


def reasons(source):
    return {item.name: item.reason for item in source}


def test_one_file_is_read_whatever_its_suffix(tmp_path):
    (tmp_path / "cell.dat").write_bytes(b"bytes")
    (item,) = open_paths([tmp_path / "cell.dat"])
    assert (item.name, item.data, item.reason) == ("cell.dat", b"bytes", "")


def test_a_folder_is_read_with_all_below_it_sorted_and_without_hidden_files(tmp_path):
    for name in ("b.png", "a/z.JPG", "a/c.tiff", ".hidden.png", ".git/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    source = open_paths([tmp_path])
    assert names(source) == ["a/c.tiff", "a/z.JPG", "b.png"]
    assert len(source) == 3
    assert [item.data for item in source][2] == b"b.png"


def test_files_that_are_no_images_are_rows_with_a_reason(tmp_path):
    (tmp_path / "labels.csv").write_bytes(b"path,label")
    (tmp_path / "more.zip").write_bytes(b"PK")
    (tmp_path / "a.png").write_bytes(b"x")
    found = reasons(open_paths([tmp_path]))
    assert found["a.png"] == ""
    assert found["labels.csv"].startswith("Not an image file")
    assert "give it on its own" in found["more.zip"]


def test_links_that_lead_out_are_not_followed(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"x")
    (folder / "inside.png").symlink_to(folder / "a.png")
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "loop").symlink_to(folder)
    (folder / "away").symlink_to(tmp_path / "elsewhere")
    found = {item.name: item for item in open_paths([folder])}
    assert found["inside.png"].data == b"x"
    assert found["out.png"].data is None
    assert "leads out" in found["out.png"].reason
    assert "leads out" in found["away"].reason
    assert found["loop"].reason == "A link to a folder; it was not followed."
    assert len(found) == 5


def test_several_paths_are_told_apart_and_a_bad_one_is_a_row(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(folder.encode())
    paths = [tmp_path / "one", tmp_path / "two", tmp_path / "two" / "a.png", tmp_path / "one" / "a.png"]
    source = open_paths([*paths, tmp_path / "nowhere"])
    assert names(source) == ["one/a.png", "two/a.png", "a.png", "a.png (2)", "nowhere"]
    assert "check the path" in reasons(source)["nowhere"]


def test_items_to_skip_are_not_even_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").write_bytes(b"b")
    assert [item.name for item in open_paths([tmp_path]).items(skip={"a.png"})] == ["b.png"]


def test_a_file_that_goes_away_is_a_row(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    source = open_paths([tmp_path])
    (tmp_path / "a.png").unlink()
    (item,) = source
    assert item.data is None
    assert "No such file" in item.reason


def test_an_archive_is_read_member_by_member(tmp_path):
    members = [("b/", b""), ("b/2.png", b"two"), ("1.jpg", b"one"), ("__MACOSX/1.jpg", b"-"), (".DS_Store", b"-")]
    source = open_paths([archive(tmp_path / "cells.zip", members)])
    assert [(item.name, item.data) for item in source] == [("1.jpg", b"one"), ("b/2.png", b"two")]
    assert list(tmp_path.iterdir()) == [tmp_path / "cells.zip"]  # nothing was unpacked


def link_member():
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("../up.png", "outside itself"),
        ("a/../../up.png", "outside itself"),
        ("/etc/up.png", "outside itself"),
        ("C:\\up.png", "outside itself"),
        ("..\\up.png", "outside itself"),
        (link_member(), "A link inside an archive"),
        ("nested.zip", "give it on its own"),
        ("notes.txt", "Not an image file"),
    ],
)
def test_a_hostile_or_foreign_member_is_a_row_and_the_rest_is_read(tmp_path, name, word):
    source = open_paths([archive(tmp_path / "cells.zip", [(name, b"x"), ("good.png", b"good")])])
    items = list(source)
    assert [item.data for item in items if item.name == "good.png"] == [b"good"]
    (bad,) = [item for item in items if item.name != "good.png"]
    assert bad.data is None
    assert word in bad.reason


def test_a_bomb_is_known_by_its_ratio_before_it_is_unpacked(tmp_path):
    path = archive(tmp_path / "bomb.zip", [("bomb.png", bytes(30 * 2**20))], compression=zipfile.ZIP_DEFLATED)
    assert "times its size" in reasons(open_paths([path]))["bomb.png"]


def test_a_declared_size_over_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_BYTES", 10)
    path = archive(tmp_path / "big.zip", [("big.png", b"x" * 11)])
    assert "at most" in reasons(open_paths([path]))["big.png"]


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path):
    path = archive(tmp_path / "lie.zip", [("lie.png", bytes(5 * 2**20))], compression=zipfile.ZIP_DEFLATED)
    data = path.read_bytes().replace(struct.pack("<L", 5 * 2**20), struct.pack("<L", 100))
    path.write_bytes(data)
    (item,) = open_paths([path])
    assert item.data is None or len(item.data) <= 100
    assert item.data is not None or "damaged" in item.reason


def test_an_encrypted_member_is_a_row(tmp_path):
    path = archive(tmp_path / "locked.zip", [("a.png", b"x")])
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    assert "without a password" in reasons(open_paths([path]))["a.png"]


def test_a_member_with_a_wrong_checksum_is_a_row(tmp_path):
    path = archive(tmp_path / "bad.zip", [("a.png", b"original"), ("b.png", b"good")])
    path.write_bytes(path.read_bytes().replace(b"original", b"altered!"))
    found = reasons(open_paths([path]))
    assert "damaged" in found["a.png"]
    assert found["b.png"] == ""


def test_a_truncated_archive_is_one_sentence(tmp_path):
    path = archive(tmp_path / "cut.zip", [("a.png", b"x" * 1000)])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"cut\.zip must be a whole ZIP archive"):
        open_paths([path])


@pytest.mark.parametrize("data", [b"", b"not a ZIP", b"PK\x03\x04"])
def test_what_is_no_archive_is_one_sentence(tmp_path, data):
    (tmp_path / "no.zip").write_bytes(data)
    with pytest.raises(SourceError, match="no ZIP file"):
        open_paths([tmp_path / "no.zip"])


def test_an_archive_of_100_000_entries_is_one_sentence(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        info = zipfile.ZipInfo("0.png")
        file.writestr(info, b"")
        file.filelist = [info] * 100_000  # the directory alone counts
        file._didModify = True
    (tmp_path / "many.zip").write_bytes(buffer.getvalue())
    with pytest.raises(SourceError, match="at most 20,000 files; it holds 100,000"):
        open_paths([tmp_path / "many.zip"])


@pytest.mark.parametrize("name", ["nowhere", "nowhere.zip"])
def test_a_path_that_is_not_there_is_one_sentence(tmp_path, name):
    with pytest.raises(SourceError, match="check the path"):
        open_paths([tmp_path / name])


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match="at least one image file"):
        open_paths([tmp_path])
    with pytest.raises(SourceError, match="at least one image file"):
        open_paths([])


def test_names_carry_no_control_characters(tmp_path):
    (tmp_path / "a\nb.png").write_bytes(b"x")
    assert names(open_paths([tmp_path])) == ["a\N{REPLACEMENT CHARACTER}b.png"]
