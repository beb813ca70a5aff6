"""Every method of every context: who may call it, for how long, and that the code is current."""

import filecmp
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor

from laurel.common.v1 import policy_pb2
from tools.genproto import GENERATED, PROTO, generate, image

SERVICE_FILES = sorted(
    path for path in (PROTO / "laurel").rglob("*.proto") if "\nservice " in path.read_text()
)

# spec: services and methods by name, in the order of contracts.
CONTRACTS = {
    "identity": {"AuthService", "DirectoryService", "InstallationService"},
    "ingest": {"IngestService", "SignalService", "WebhookService"},
    "scoring": {"PresetService", "ScoringService"},
    "leaderboard": {"LeaderboardService", "MaterializationService"},
}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pb2.FileDescriptorSet:
    """All protos with their comments, as protoc reads them now."""
    path = tmp_path_factory.mktemp("image") / "image.binpb"
    image(path)
    return descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())


def methods(
    described: descriptor_pb2.FileDescriptorSet,
) -> Iterator[tuple[str, descriptor_pb2.MethodDescriptorProto]]:
    """Every method of ours with its full name."""
    for file in described.file:
        if file.package.startswith("laurel."):
            for service in file.service:
                for method in service.method:
                    yield f"{file.package}.{service.name}/{method.name}", method


def policy_of(method: descriptor_pb2.MethodDescriptorProto) -> policy_pb2.MethodPolicy:
    return method.options.Extensions[policy_pb2.policy]


def test_every_method_declares_who_may_call_it(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    silent = [
        name
        for name, method in methods(described)
        if not policy_of(method).callers
        or policy_pb2.CALLER_UNSPECIFIED in policy_of(method).callers
    ]
    assert not silent
    assert len(list(methods(described))) > 1


def test_every_method_declares_how_long_its_clients_wait(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    # A server's stream that a caller watches for as long as it likes declares none.
    without = [
        name
        for name, method in methods(described)
        if policy_of(method).default_timeout_ms <= 0
        and not (method.server_streaming and method.name.startswith("Watch"))
    ]
    assert not without


def test_services_are_named_only_where_services_may_call(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    known = set(CONTRACTS)
    for name, method in methods(described):
        policy = policy_of(method)
        if policy.services:
            assert policy_pb2.CALLER_SERVICE in policy.callers, name
            assert set(policy.services) <= known, name


def test_no_method_is_for_nobody_in_particular(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    gateway = {
        name
        for name, method in methods(described)
        if policy_pb2.CALLER_GATEWAY in policy_of(method).callers
    }
    allowed = {
        "laurel.identity.v1.AuthService/BeginSignIn",
        "laurel.identity.v1.AuthService/CompleteSignIn",
        "laurel.identity.v1.InstallationService/BeginInstall",
        "laurel.ingest.v1.WebhookService/ReceiveWebhook",
    }
    assert gateway <= allowed


def test_a_context_has_the_services_of_the_contract_and_no_others(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    for file in described.file:
        context = file.package.split(".")[1] if file.package.startswith("laurel.") else ""
        for service in file.service:
            if context:
                assert service.name in CONTRACTS[context], file.name


def test_every_list_is_paged(described: descriptor_pb2.FileDescriptorSet) -> None:
    messages = {
        f".{file.package}.{message.name}": {field.name for field in message.field}
        for file in described.file
        for message in file.message_type
    }
    unpaged = [
        name
        for name, method in methods(described)
        if method.name.startswith("List")
        and not (
            {"page_size", "page_token"} <= messages[method.input_type]
            and "next_page_token" in messages[method.output_type]
        )
    ]
    assert not unpaged


def test_every_service_and_method_is_documented(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    silent = []
    for file in described.file:
        commented = {
            tuple(place.path)
            for place in file.source_code_info.location
            if place.leading_comments.strip() or place.trailing_comments.strip()
        }
        for number, service in enumerate(file.service):
            if (6, number) not in commented:
                silent.append(f"{file.name}: {service.name}")
            for index, method in enumerate(service.method):
                if (6, number, 2, index) not in commented:
                    silent.append(f"{file.name}: {service.name}/{method.name}")
    assert not silent


def test_generated_code_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # protoc finds its plugins beside this interpreter.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    generate(tmp_path)
    fresh = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.py*") if path.is_file()}
    committed = {
        path.relative_to(GENERATED)
        for package in ("laurel", "buf")
        for path in (GENERATED / package).rglob("*.py*")
        if path.suffix in {".py", ".pyi"}
    }
    assert fresh == committed
    _, differing, missing = filecmp.cmpfiles(
        tmp_path, GENERATED, [str(name) for name in sorted(fresh)], shallow=False
    )
    assert not differing
    assert not missing


def test_points_on_the_wire_are_integers(described: descriptor_pb2.FileDescriptorSet) -> None:
    kinds = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
    floating = [
        f"{file.name}: {message.name}.{field.name}"
        for file in described.file
        if file.package.startswith("laurel.")
        for message in file.message_type
        for field in message.field
        if field.type in kinds and re.search(r"score|point", field.name)
    ]
    assert not floating


def test_the_policy_is_read_as_it_is_written(
    described: descriptor_pb2.FileDescriptorSet,
) -> None:
    assert SERVICE_FILES
    names = {name for name, _ in methods(described)}
    assert len(names) == sum(
        len(re.findall(r"^  rpc ", path.read_text(), re.MULTILINE)) for path in SERVICE_FILES
    )


def test_no_rule_of_a_request_asks_for_the_time() -> None:
    """The validation step remembers what has passed: equal bytes must stay equally good."""
    time_bound = re.compile(r"\b(?:lt_now|gt_now|within)\s*[:=]|\bexpression:.*\bnow\b")
    protos = sorted((PROTO / "laurel").rglob("*.proto"))
    assert not [path.name for path in protos if time_bound.search(path.read_text())]
