"""A ZIP of PDF files, read with limits: what a person uploads is not what a program may trust."""

import io
import zipfile
from typing import NamedTuple

#: Of one file and of all of them, unpacked; a ZIP says these itself, so that nothing is unpacked before they are known
MAX_FILE = 30 * 1024 * 1024
MAX_TOTAL = 500 * 1024 * 1024
MAX_FILES = 2000


class ArchiveError(ValueError):
    """The archive as a whole cannot be read. ``code``: ``unreadable``, ``encrypted``, ``too_many``, ``too_big`` or
    ``twice`` (two files of one name, in different folders); ``name`` of the file where there is one."""

    def __init__(self, code, name=""):
        super().__init__(code)
        self.code = code
        self.name = name


class ArchivedFile(NamedTuple):
    name: str
    content: bytes

    @property
    def is_pdf(self):
        return self.content.startswith(b"%PDF-")


def key(name):
    """A file name as it is compared: without folders and ending, case does not matter."""
    base = str(name).replace("\\", "/").rsplit("/", 1)[-1].strip()
    return base.removesuffix(base[-4:] if base.lower().endswith(".pdf") else "").casefold()


def read_archive(content):
    """Read the files of an archive; folders, and what systems hide in them, are passed over.

    :param bytes content: the ZIP
    :returns: ``{key: ArchivedFile}``, see :func:`key`
    :raises ArchiveError: when it cannot be read
    """
    try:
        # Names that are not marked as Unicode come from Chinese Windows
        with zipfile.ZipFile(io.BytesIO(content), metadata_encoding="gb18030") as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and not _hidden(member.filename) and key(member.filename)
            ]
            if len(members) > MAX_FILES:
                raise ArchiveError("too_many")
            if sum(member.file_size for member in members) > MAX_TOTAL:
                raise ArchiveError("too_big")
            files = {}
            for member in members:
                if member.flag_bits & 1:
                    raise ArchiveError("encrypted", member.filename)
                if member.file_size > MAX_FILE:
                    raise ArchiveError("too_big", member.filename)
                if key(member.filename) in files:
                    raise ArchiveError("twice", member.filename)
                # zipfile stops at the size that the archive has announced
                name = member.filename.rsplit("/", 1)[-1]
                files[key(member.filename)] = ArchivedFile(name, archive.read(member))
            return files
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, UnicodeDecodeError) as error:
        raise ArchiveError("unreadable") from error


def _hidden(path):
    return any(part.startswith((".", "__MACOSX")) for part in path.split("/"))
