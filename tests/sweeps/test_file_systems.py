"""Stores on network file systems: which are known, and who says so."""

from __future__ import annotations

import warnings

import pytest
from sweep_cells import QUICK

from errsrc import studies
from errsrc.cli import main
from errsrc.errors import NetworkFileSystem
from errsrc.sweeps import Store, file_systems, serial
from errsrc.sweeps.file_systems import network_file_system

MOUNTS = r"""/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw,vers=4.2,addr=10.0.0.1 0 0
/dev/sdb1 /home/local xfs rw 0 0
//server/share /mnt/my\040share cifs rw 0 0
10.0.0.2@o2ib:/work /work lustre rw 0 0
me@host:/data /data fuse.sshfs rw 0 0
/dev/fuse /fuse fuse.ntfs-3g rw 0 0
systemd-1 /auto autofs rw 0 0
server:/auto /auto nfs rw 0 0
server:/old /over nfs rw 0 0
tmpfs /over tmpfs rw 0 0
mon1:6789:/ /ceph ceph rw 0 0
gcs /bucket fuse.gcsfuse rw 0 0
overlay /overlay overlay rw 0 0
a line of another shape
"""


@pytest.fixture(autouse=True)
def mounts(tmp_path, monkeypatch):
    """Mount a network file system over a folder of this test, next to the mounts above."""
    file = tmp_path / "mounts"
    file.write_text(MOUNTS + f"server:/test {tmp_path}/net nfs4 rw 0 0\n")
    (tmp_path / "net").mkdir()
    monkeypatch.setattr(file_systems, "MOUNTS", file)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/study.db", "nfs4"),
        ("/home", "nfs4"),
        ("/home/local/study.db", None),
        ("/home/locally/study.db", "nfs4"),
        ("/homes/study.db", None),
        ("/study.db", None),
        ("/mnt/my share/study.db", "cifs"),
        ("/mnt/my", None),
        ("/work/a/b/c.db", "lustre"),
        ("/data/study.db", "fuse.sshfs"),
        ("/fuse/study.db", None),
        ("/auto/study.db", "nfs"),
        ("/over/study.db", None),
        ("/ceph/study.db", "ceph"),
        ("/bucket/study.db", "fuse.gcsfuse"),
        ("/overlay/study.db", None),
    ],
)
def test_the_type_of_a_network_file_system_is_that_of_the_nearest_mount(path, kind) -> None:
    assert network_file_system(path) == kind


def test_a_link_leads_to_the_file_system_of_its_target(tmp_path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "net")
    assert network_file_system(tmp_path / "link" / "study.db") == "nfs4"
    assert network_file_system(tmp_path / "study.db") is None


def test_nothing_is_known_where_the_system_lists_no_mounts(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "none")
    assert network_file_system("/home/study.db") is None


def test_a_driver_warns_and_a_reader_does_not(tmp_path) -> None:
    with (
        pytest.warns(NetworkFileSystem, match=r"study\.db is on a network file system \(nfs4\): use it on"),
        Store(tmp_path / "net" / "study.db", write=True),
    ):
        pass
    with Store(tmp_path / "net" / "study.db"), Store(tmp_path / "study.db", write=True):
        pass


@pytest.mark.parametrize("wrong", ["ignore", "error"])
def test_the_command_prints_the_warning_once(wrong, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(studies.ALL, "quick", QUICK)
    monkeypatch.setattr("errsrc.sweeps.local", lambda *args, **_: serial(*args))
    spec = tmp_path / "net" / "study.toml"
    spec.write_text('kind = "quick"\nseeds = 3\n')
    warnings.simplefilter(wrong)
    assert main(["run", str(spec)]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(said) == 1
    assert said[0].startswith(
        f"errsrc: warning: {spec.with_suffix('.db')} is on a network file system (nfs4)"
    )
    assert main(["run", str(spec), "--store", str(tmp_path / "local.db")]) == 0
    assert main(["status", str(spec)]) == 0
    assert "warning" not in capsys.readouterr().err


def test_the_help_of_the_command_says_so(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "network file system such as NFS" in capsys.readouterr().out
