"""Load from h2load (Debian's nghttp2-client), a program that is not ours."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


class LoadGeneratorMissingError(Exception):
    """h2load is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of h2load saw."""

    requests_per_second: float
    succeeded: int
    data_bytes: int


def frame(message: bytes) -> bytes:
    """A gRPC message as it goes over HTTP/2: uncompressed, with its length."""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def require() -> str:
    """The program's path; raises LoadGeneratorMissingError that says what is missing."""
    program = shutil.which("h2load")
    if program is None:
        raise LoadGeneratorMissingError(
            "h2load is missing: install Debian's nghttp2-client (or nghttp2 elsewhere)"
        )
    return program


def run(
    target: str, method: str, message: bytes, *, requests: int, token: str = "", answer_size: int
) -> Load:
    """Calls `method` `requests` times, 64 in flight over 4 connections.

    `answer_size` is what each answer must at least weigh: gRPC tells errors in trailers, so a
    failing server would otherwise look like a fast one.
    """
    with tempfile.NamedTemporaryFile() as body:
        Path(body.name).write_bytes(frame(message))
        command = [require(), "-n", str(requests), "-c", "4", "-m", "16", "-d", body.name]
        command += ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        if token:
            command += ["-H", f"authorization: Bearer {token}"]
        finished = subprocess.run(
            [*command, f"http://{target}{method}"], capture_output=True, text=True, check=True
        )
    return parse(finished.stdout, requests, answer_size)


def parse(output: str, requests: int, answer_size: int) -> Load:
    """Reads h2load's summary; an error where answers are missing or too small."""
    rate = re.search(r"finished in [^,]+, ([\d.]+) req/s", output)
    done = re.search(r"(\d+) succeeded", output)
    data = re.search(r"\((\d+)\) data", output)
    if not (rate and done and data):
        raise ValueError(f"h2load said something else:\n{output}")
    load = Load(float(rate[1]), int(done[1]), int(data[1]))
    if load.succeeded != requests or load.data_bytes < requests * answer_size:
        raise ValueError(f"not every call was answered in full: {load}")
    return load
