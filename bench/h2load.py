"""Load from h2load (Debian's nghttp2-client), a program that is not ours."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

IN_FLIGHT = 64


class LoadGeneratorMissingError(Exception):
    """h2load is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of h2load saw."""

    requests_per_second: float
    succeeded: int
    data_bytes: int
    # Milliseconds until 99 of 100 answers had ended.
    p99: float = 0.0


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
    target: str,
    method: str,
    message: bytes,
    *,
    requests: int,
    token: str = "",
    answer_size: int,
    connections: int = 4,
) -> Load:
    """Calls `method` `requests` times, 64 in flight over so many connections.

    `answer_size` is what each answer must at least weigh: gRPC tells errors in trailers, so a
    failing server would otherwise look like a fast one.
    """
    with tempfile.NamedTemporaryFile() as body, tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        Path(body.name).write_bytes(frame(message))
        command = [require(), "-n", str(requests), "-c", str(connections)]
        command += ["-m", str(IN_FLIGHT // connections), "-d", body.name, f"--log-file={log}"]
        command += ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        if token:
            command += ["-H", f"authorization: Bearer {token}"]
        finished = subprocess.run(
            [*command, f"http://{target}{method}"], capture_output=True, text=True, check=True
        )
        load = parse(finished.stdout, requests, answer_size)
        return replace(load, p99=_p99(log.read_text()))


def _p99(log: str) -> float:
    """Of h2load's log: start, status and microseconds a line."""
    times = sorted(int(line.rsplit("\t", 1)[1]) for line in log.splitlines())
    return times[len(times) * 99 // 100] / 1000


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
