"""Compares the contracts with those of an earlier commit: nothing that callers use may go.

`python tools/breaking.py --image FILE --base REV`: FILE is today's descriptor image; REV's own
image is made from its protos by its own generator. Without a REV, or where it had no protos, there
is nothing to break.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def archive(base: str, target: Path) -> bool:
    """Lays out `base`'s protos and tools below `target`; False where it has none."""
    tree = subprocess.run(  # noqa: S603  the revision comes from our own Makefile
        ["git", "archive", base, "proto", "tools"],  # noqa: S607  git is found on PATH by intent
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if tree.returncode:
        return False
    with tarfile.open(fileobj=io.BytesIO(tree.stdout)) as bundle:
        bundle.extractall(target, filter="data")
    return (target / "tools" / "genproto.py").exists()


def main() -> None:
    """Reads the command line and ends with buf's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--base", default="")
    arguments = parser.parse_args()
    if not arguments.base:
        sys.stdout.write("buf breaking: no earlier main to compare with\n")
        return
    buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch)
        if not archive(arguments.base, before):
            sys.stdout.write(f"buf breaking: {arguments.base} has no protos\n")
            return
        old = before / "before.binpb"
        generator = str(before / "tools" / "genproto.py")
        subprocess.run([sys.executable, generator, "--image", str(old)], check=True)  # noqa: S603  our own tool of that commit
        config = str(ROOT / "proto" / "buf.yaml")
        command = [buf, "breaking", str(arguments.image), "--against", str(old), "--config", config]
        sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603  arguments are paths of ours


if __name__ == "__main__":
    main()
