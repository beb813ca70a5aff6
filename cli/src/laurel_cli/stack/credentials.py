"""Who may call what: a key for each caller, and the trust directory that names them."""

from collections.abc import Iterable
from importlib import import_module

from google.protobuf.descriptor import ServiceDescriptor

from laurel_cli.stack.layout import OPERATOR, SERVICES, Layout, write_secret
from laurel_cli.stack.token_keys import ensure_token_keys
from laurel_common.auth.keys import generate_private_key, load_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.trust import TrustedKey, format_trust_file, parse_trust_file
from laurel_common.rpc.policy import rules_of

# Puts people and teams in where no GitHub App does: the demo's teams come by it.
ROSTER = "roster"
_UPSERT = "laurel.identity.v1.DirectoryService/UpsertEntities"
_PROTOS = (
    "laurel.identity.v1.auth_pb2",
    "laurel.identity.v1.directory_pb2",
    "laurel.identity.v1.installation_pb2",
    "laurel.ingest.v1.ingest_pb2",
    "laurel.ingest.v1.signal_pb2",
    "laurel.ingest.v1.webhook_pb2",
    "laurel.scoring.v1.preset_pb2",
    "laurel.scoring.v1.scoring_pb2",
    "laurel.leaderboard.v1.leaderboard_pb2",
    "laurel.leaderboard.v1.materialization_pb2",
)


def ensure_credentials(layout: Layout) -> None:
    """Makes the keys that are missing and writes our entries of the trust directory.

    Entries under other names (a backend's, a second operator's) stay as they are. Raises
    KeyFileError, TrustFileError.
    """
    ensure_token_keys(layout)
    ours = [_entry(layout, name) for name in (*SERVICES, ROSTER, OPERATOR)]
    path = layout.trust_file
    known = parse_trust_file(path.read_text()) if path.exists() else []
    names = {each.name for each in ours}
    text = format_trust_file([*ours, *(each for each in known if each.name not in names)])
    if not path.exists() or path.read_text() != text:
        write_secret(path, text)
        # Public keys: nothing in it is secret, and services under other users read it.
        path.chmod(0o644)


def _entry(layout: Layout, name: str) -> TrustedKey:
    path = layout.key(name)
    key = load_private_key(path) if path.exists() else generate_private_key(path)
    kind = PrincipalKind.OPERATOR if name == OPERATOR else PrincipalKind.SERVICE
    return TrustedKey(name, kind, key.public_key(), tuple(methods_of(name)), None)


def methods_of(name: str) -> list[str]:
    """The methods that a caller of ours needs, as its entry lists them.

    A service's are those that name it in their proto. The operator's are all: the protos say
    which of them are open to operators.
    """
    if name == OPERATOR:
        return ["*"]
    if name == ROSTER:
        return [_UPSERT]
    rules = rules_of(_services()).values()
    named = sorted(rule.name for rule in rules if name in rule.services)
    # What any service may call whose key lists it; of ours, ingest meets new people.
    return [*named, _UPSERT] if name == "ingest" and _UPSERT not in named else named


def _services() -> Iterable[ServiceDescriptor]:
    for module in _PROTOS:
        yield from import_module(module).DESCRIPTOR.services_by_name.values()
