"""Generates proto/gen/python and the descriptor image that buf reads.

`python tools/genproto.py` rewrites the generated tree; `--out DIR` writes it elsewhere, which is
how the architecture test sees that what is committed is current; `--image FILE` writes only the
descriptor image for `buf lint` and `buf breaking`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GENERATED = PROTO / "gen" / "python"


def validate_descriptors(directory: Path) -> Path:
    """Writes the descriptors of buf/validate/validate.proto and what it imports.

    protovalidate's wheel carries no .proto file but its own descriptor, which protoc takes as
    well through --descriptor_set_in.
    """
    files = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    files.file.add().ParseFromString(validate_pb._DESC.proto.to_binary())
    path = directory / "validate.binpb"
    path.write_bytes(files.SerializeToString())
    return path


def sources() -> list[str]:
    """Every .proto of ours, relative to the proto root."""
    return sorted(str(path.relative_to(PROTO)) for path in (PROTO / "laurel").rglob("*.proto"))


def run(arguments: list[str]) -> None:
    """Runs protoc, or ends the process with its exit code."""
    code = protoc.main(["protoc", *arguments])
    if code:
        sys.exit(code)


def inputs(descriptors: Path) -> list[str]:
    """The arguments that say where imports are found."""
    bundled = Path(grpc_tools.__file__).parent / "_proto"
    return [f"-I{PROTO}", f"-I{bundled}", f"--descriptor_set_in={descriptors}"]


def generate(target: Path) -> None:
    """Writes modules, stubs and their types below `target`."""
    with tempfile.TemporaryDirectory() as scratch:
        found = inputs(validate_descriptors(Path(scratch)))
        services = [name for name in sources() if "\nservice " in (PROTO / name).read_text()]
        run(
            [
                *found,
                f"--python_out={target}",
                f"--mypy_out=quiet:{target}",
                *sources(),
                "buf/validate/validate.proto",
            ]
        )
        if services:
            run(
                [
                    *found,
                    f"--grpc_python_out={target}",
                    f"--mypy_grpc_out=quiet,only_async:{target}",
                    *services,
                ]
            )


def image(path: Path) -> None:
    """Writes what buf lints: descriptors with imports and source positions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        found = inputs(validate_descriptors(Path(scratch)))
        run(
            [
                *found,
                "--include_imports",
                "--include_source_info",
                f"--descriptor_set_out={path}",
                *sources(),
            ]
        )


def install(fresh: Path, target: Path) -> None:
    """Makes `target` hold what `fresh` holds, touching only the files that differ."""
    wanted = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    for package in ("laurel", "buf"):
        for path in sorted((target / package).rglob("*.py*")):
            if path.suffix in {".py", ".pyi"} and path.relative_to(target) not in wanted:
                path.unlink()
    for name in sorted(wanted):
        content, path = (fresh / name).read_bytes(), target / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def main() -> None:
    """Reads the command line and does what it asks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=GENERATED)
    parser.add_argument("--image", type=Path)
    arguments = parser.parse_args()
    if arguments.image:
        image(arguments.image)
        return
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        install(fresh, arguments.out)


if __name__ == "__main__":
    main()
