#!/usr/bin/env python3
"""Unpacks wheels into a folder, of each shared object only what the loader reads before it maps it.

    skeleton.py WHEEL... FOLDER

The rest of a library becomes a hole in a file of the same size: gigabytes of kernels take no room, and headers, dynamic
section, symbols and versions are the real ones. Other files are left out, but for those that say which release it is.
"""

import os
import struct
import sys
import zipfile

KEPT_SECTIONS = {
    b".dynamic", b".dynsym", b".dynstr", b".gnu.version", b".gnu.version_r", b".gnu.version_d", b".gnu.hash", b".hash",
    b".shstrtab",
}  # fmt: skip
KEPT_FILES = ("/METADATA", "torch/version.py", "torch/__init__.py", "build_info.py", "build_and_package_info.py")


def kept_ranges(data: bytes) -> list[tuple[int, int]]:
    """Header, tables of segments and sections, and the sections that are kept, as offsets and lengths."""
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phentsize, phnum, shentsize, shnum, shstrndx = struct.unpack_from("<HHHHH", data, 54)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + at * shentsize) for at in range(shnum)]
    names = sections[shstrndx][4] if shnum else 0
    ranges = [(0, 64), (phoff, phentsize * phnum), (shoff, shentsize * shnum)]
    for name, kind, _, _, offset, size, *_ in sections:
        text = data[names + name : data.index(b"\0", names + name)]
        if text in KEPT_SECTIONS and kind != 8:
            ranges.append((offset, size))
    return ranges


def write(path: str, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        if data[:4] == b"\x7fELF":
            file.truncate(len(data))
            for offset, size in kept_ranges(data):
                file.seek(offset)
                file.write(data[offset : offset + size])
        else:
            file.write(data)
    os.chmod(path, mode or 0o644)


def main(*arguments: str) -> None:
    *wheels, folder = arguments
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                name = entry.filename
                is_library = name.endswith(".so") or ".so." in os.path.basename(name)
                if is_library or name.endswith(KEPT_FILES):
                    write(os.path.join(folder, name), archive.read(entry), entry.external_attr >> 16 & 0o777)


main(*sys.argv[1:])
