"""Who may call what, as the contracts say, and that nobody's methods do not exist."""

from importlib import import_module

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from laurel.common.v1 import errors_pb2, policy_pb2
from laurel_cli.stack.credentials import methods_of
from laurel_cli.stack.layout import SERVICES
from laurel_common.errors import LaurelError
from laurel_common.rpc.policy import rules_of
from laurel_common.rpc.status import CODES
from tests.support.answers import documented
from tests.support.contracts import MODULES

_LETTERS = {
    policy_pb2.CALLER_USER: "U",
    policy_pb2.CALLER_ADMIN: "A",
    policy_pb2.CALLER_SERVICE: "S",
    policy_pb2.CALLER_BACKEND: "B",
    policy_pb2.CALLER_GATEWAY: "G",
    policy_pb2.CALLER_OPERATOR: "O",
}
# The contracts, as far as they are not "U B O".
CALLERS = {
    "AuthService": {
        "BeginSignIn": "G",
        "CompleteSignIn": "G",
        "GetSession": "U",
        "ListSessions": "UO",
        "RevokeSession": "UO",
        "RevokeAllSessions": "UO",
        "IntrospectToken": "S",
        # Beside the contracts: rotation is for operators.
        "RotateTokens": "O",
    },
    "DirectoryService": {"UpsertEntities": "S", "CheckAccess": "S", "ClaimIdentity": "O"},
    "InstallationService": {
        "BeginInstall": "UG",
        "LinkInstallation": "U",
        "SyncInstallations": "AO",
        "CreateInstallationToken": "S",
        "HandleInstallationEvent": "S",
        "EraseInstallation": "O",
        # Beside the contracts: the App's key is identity's, the inbox is ingest's.
        "ListFailedWebhooks": "S",
        "RedeliverWebhook": "S",
    },
    "IngestService": {
        "StartIngest": "AO",
        "CancelIngest": "AO",
        "GetPartitionHealth": "O",
        "DropOldPartitions": "O",
    },
    "SignalService": {
        "WriteSignals": "BSO",
        "ImportEvents": "OB",
        "StreamSignals": "S",
        "FlagSpam": "AO",
        "UnflagSpam": "AO",
        "UpdateBots": "AO",
        "AdoptInstallation": "S",
        "ForgetTeam": "S",
        # Beside the contracts, here and below: what is erased goes in slices first.
        "ForgetInstallation": "S",
        "ClaimAuthor": "S",
    },
    "WebhookService": {"ReceiveWebhook": "G", "ListDeliveries": "O", "ReplayDelivery": "O"},
    "PresetService": {
        "CreatePreset": "AO",
        "UpdatePreset": "AO",
        "DeletePreset": "AO",
        "ActivatePreset": "AO",
        "AdoptInstallation": "S",
    },
    "ScoringService": {"StartScoring": "ASO", "PreviewRules": "ABO"},
    "LeaderboardService": {},
    "MaterializationService": {
        "PublishMaterialization": "S",
        "MarkStale": "S",
        "ListMaterializations": "OB",
        "PurgeSuperseded": "O",
        "ForgetTeam": "S",
        # Beside the contracts: boards move with the signals and presets that they are made of.
        "AdoptInstallation": "S",
        "ForgetInstallation": "S",
        "ForgetRepository": "S",
    },
}
_PACKAGES = tuple(f"laurel_{each}." for each in SERVICES)
# Reads that the contexts need of each other are open to services by name beside.
_ALSO_FOR_SERVICES = {
    *("DirectoryService", "InstallationService", "IngestService", "MaterializationService"),
}


def _methods() -> list[MethodDescriptor]:
    return [
        method
        for module in MODULES
        for service in import_module(f"{module}_pb2").DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def _policy(method: MethodDescriptor) -> policy_pb2.MethodPolicy:
    return method.GetOptions().Extensions[policy_pb2.policy]


@pytest.mark.parametrize("method", _methods(), ids=lambda each: each.full_name)
def test_a_method_is_for_whom_the_contract_says(method: MethodDescriptor) -> None:
    service = method.containing_service.name
    wanted = set(CALLERS[service].get(method.name, "UBO"))
    declared = {_LETTERS[each] for each in _policy(method).callers}
    if service in _ALSO_FOR_SERVICES and _policy(method).services:
        declared -= {"S"} - wanted
    assert declared == wanted


@pytest.mark.parametrize("method", _methods(), ids=lambda each: each.full_name)
def test_a_method_that_services_may_call_is_called_by_one(method: MethodDescriptor) -> None:
    policy = _policy(method)
    if set(policy.callers) != {policy_pb2.CALLER_SERVICE}:
        return
    name = f"{method.containing_service.full_name}/{method.name}"
    assert any(name in methods_of(each) for each in (*SERVICES, "roster")), (
        "nobody has a key for it"
    )


# Places that name an installation beside those that the steps before a servicer look at.
LOOKED_AT_BY_THE_METHOD = {
    # What the caller has nothing of yet: GitHub is asked whether it may have it.
    "InstallationService.LinkInstallation": {"new_installation_id"},
    # Must be the request's own installation.
    "MaterializationService.ListMaterializations": {"board.installation_id"},
}


def _places_of_installations(message: Descriptor, path: str = "", depth: int = 0) -> set[str]:
    """The paths of the fields that name an installation, however deep, by their names."""
    found: set[str] = set()
    for each in message.fields:
        place = f"{path}.{each.name}".strip(".")
        if each.name.endswith("installation_id") or each.name.endswith("installation_ids"):
            found.add(place)
        if each.type == FieldDescriptor.TYPE_MESSAGE and each.message_type and depth < 5:
            found |= _places_of_installations(each.message_type, place, depth + 1)
    return found


@pytest.mark.parametrize("method", _methods(), ids=lambda each: each.full_name)
def test_no_request_names_an_installation_where_nobody_looks(method: MethodDescriptor) -> None:
    limited = {policy_pb2.CALLER_USER, policy_pb2.CALLER_ADMIN, policy_pb2.CALLER_BACKEND}
    if not limited & set(_policy(method).callers):
        return
    rule = rules_of([method.containing_service])[
        f"/{method.containing_service.full_name}/{method.name}"
    ]
    seen = {".".join(path) for path in rule.installation_paths}
    known = LOOKED_AT_BY_THE_METHOD.get(f"{method.containing_service.name}.{method.name}", set())
    assert _places_of_installations(method.input_type) - seen == known


def test_the_errors_that_methods_document_are_reasons() -> None:
    known = {name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.keys()}  # noqa: SIM118 - an enum wrapper is no dict
    assert len(documented()) == len(_methods())
    for method, reasons in documented().items():
        assert reasons, f"{method}: a method without its errors"
        assert reasons <= known, f"{method}: {reasons - known}"


def test_every_error_class_has_a_reason_with_a_code() -> None:
    for context in SERVICES:
        import_module(f"laurel_{context}.bootstrap")
    of_services = [each for each in _errors() if each.__module__.startswith(_PACKAGES)]
    assert of_services
    assert {each.__name__: each.reason for each in of_services if each.reason not in CODES} == {}


def _errors(base: type[LaurelError] = LaurelError) -> list[type[LaurelError]]:
    return [each for sub in base.__subclasses__() for each in (sub, *_errors(sub))]
