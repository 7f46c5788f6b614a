"""Detection of network file systems, where only the processes of one machine can share a store."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

NETWORK_TYPES = (
    *("afs", "beegfs", "ceph", "cifs", "cvmfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
    *("orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "wekafs"),
)
"""Types of network file systems, as Linux names them."""

NETWORK_FUSE = (
    *("beegfs", "ceph", "davfs", "gcsfuse", "glusterfs", "goofys", "juicefs", "mfs", "mount.s3"),
    *("rclone", "s3fs", "seaweedfs", "sshfs"),
)
"""Programs that mount a network file system by FUSE, which Linux names ``fuse.PROGRAM``."""

MOUNTS = Path("/proc/self/mounts")
"""The mounted file systems of this process, on Linux."""


def network_file_system(path: str | os.PathLike[str]) -> str | None:
    """Return the type of the network file system that a file is on.

    Parameters
    ----------
    path : path
        The file.  The file need not exist.

    Returns
    -------
    str or None
        The type, such as "nfs4" or "fuse.sshfs".  None if the file is local, or if the type is unknown, as on
        all systems other than Linux.
    """
    real = os.path.realpath(path)
    found = None
    for folder, kind in _mounts():
        if real == folder or real.startswith(folder.rstrip("/") + "/"):
            length = len(folder)
            if found is None or length >= found[0]:  # of two mounts on one folder the later is on top
                found = length, kind
    kind = found[1] if found else ""
    fuse = kind.removeprefix("fuse.") if kind.startswith("fuse.") else None
    return kind if kind in NETWORK_TYPES or fuse in NETWORK_FUSE else None


def _mounts() -> Iterator[tuple[str, str]]:
    """Yield the folder and the type of each mounted file system."""
    try:
        lines = os.fsdecode(MOUNTS.read_bytes()).splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(" ")
        if len(fields) >= 3:
            yield re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1]), fields[2]
