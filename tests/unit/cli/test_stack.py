"""What `laurel up` makes and decides before anything runs."""

import re
import socket
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from laurel_cli.errors import CommandError, RefusedError, UsageError
from laurel_cli.rpc.caller import mint, tokens_of
from laurel_cli.rpc.where import Where, transport
from laurel_cli.stack import reaching
from laurel_cli.stack.credentials import _PROTOS, ensure_credentials, methods_of
from laurel_cli.stack.deployment import write_deployment
from laurel_cli.stack.layout import SERVICES, Layout
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.programs import STOP_WAVES, service_programs
from laurel_cli.stack.reaching import UnreachableError, reach_cache
from laurel_cli.stack.servers import Servers, with_login
from laurel_cli.stack.stack import StackError, StackOptions, running_stack
from laurel_cli.stack.variables import unknown
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.auth.trust import TrustedKey, format_trust_file, parse_trust_file

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path / "data")
    found.make()
    return found


def trusted(layout: Layout) -> dict[str, TrustedKey]:
    return {each.name: each for each in parse_trust_file(layout.trust_file.read_text())}


def test_credentials_are_made_once_and_kept_private(layout: Layout) -> None:
    ensure_credentials(layout)
    keys = {path.name: path.read_bytes() for path in layout.keys.iterdir()}
    assert set(keys) == {f"{name}.pem" for name in (*SERVICES, "operator", "roster")}
    assert layout.keys.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in layout.keys.iterdir()} == {0o600}
    text = layout.trust_file.read_text()
    ensure_credentials(layout)
    assert {path.name: path.read_bytes() for path in layout.keys.iterdir()} == keys
    assert layout.trust_file.read_text() == text


def test_a_key_that_was_lost_is_made_anew_and_trusted(layout: Layout) -> None:
    ensure_credentials(layout)
    before = trusted(layout)["ingest"].public_key
    layout.key("ingest").unlink()
    ensure_credentials(layout)
    assert trusted(layout)["ingest"].public_key != before


def test_entries_of_others_in_the_trust_directory_stay(layout: Layout, tmp_path: Path) -> None:
    ensure_credentials(layout)
    key = generate_private_key(tmp_path / "reports.pem").public_key()
    reports = TrustedKey("reports", PrincipalKind.BACKEND, key, ("laurel.*",), frozenset({-7}))
    layout.trust_file.write_text(format_trust_file([*trusted(layout).values(), reports]))
    ensure_credentials(layout)
    assert trusted(layout)["reports"] == reports


def test_each_caller_may_do_what_it_needs_and_no_more(layout: Layout) -> None:
    ensure_credentials(layout)
    keys = trusted(layout)
    upsert = "laurel.identity.v1.DirectoryService/UpsertEntities"
    assert keys["roster"].methods == (upsert,)
    assert keys["operator"].kind is PrincipalKind.OPERATOR
    assert {keys[name].kind for name in (*SERVICES, "roster")} == {PrincipalKind.SERVICE}
    assert upsert in keys["ingest"].methods
    assert upsert not in keys["scoring"].methods
    publish = "laurel.leaderboard.v1.MaterializationService/PublishMaterialization"
    assert [name for name in SERVICES if publish in keys[name].methods] == ["scoring"]
    stream = "laurel.ingest.v1.SignalService/StreamSignals"
    assert [name for name in SERVICES if stream in keys[name].methods] == ["scoring"]
    assert all("*" not in method for name in SERVICES for method in keys[name].methods)


def test_every_proto_with_a_service_is_asked_whom_it_names() -> None:
    folder = ROOT / "proto"
    with_services = {
        str(path.relative_to(folder).with_suffix("")).replace("/", ".") + "_pb2"
        for path in (folder / "laurel").rglob("*.proto")
        if re.search(r"^service ", path.read_text(), re.MULTILINE)
    }
    assert set(_PROTOS) == with_services
    assert methods_of("nobody") == []


def test_ports_are_read_in_the_order_of_the_services() -> None:
    ports = Ports.parse("9001,9002,9003,9004,9011,9012,9013,9014")
    assert ports.targets()["identity"] == "127.0.0.1:9001"
    assert ports.targets()["leaderboard"] == "127.0.0.1:9004"
    assert ports.metrics == {"identity": 9011, "ingest": 9012, "scoring": 9013, "leaderboard": 9014}
    assert len(set(Ports.parse("9001,9002,9003,9004").metrics.values())) == 4
    free = Ports.parse("any")
    numbers = {*free.rpc.values(), *free.metrics.values()}
    assert len(numbers) == 8
    # The system gives those above to others, who may have one before its service binds it.
    assert max(numbers) < 32_768


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "1,1,2,3", "0,1,2,3", "1,2,3,70000", ""])
def test_ports_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Ports.parse(text)


def test_a_taken_port_is_noticed() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        assert Ports({"identity": port}, {}).taken() == [port]


async def test_a_start_on_taken_ports_fails_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        options = StackOptions(tmp_path, Ports({"identity": port}, {}))
        with pytest.raises(StackError, match=str(port)):
            async with running_stack(options, print):
                pass
    assert not (tmp_path / "postgres").exists()


async def test_a_cache_that_is_not_there_is_named_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "REACH_SECONDS", 0.2)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        url = f"redis://:hunter2@{address}/0"
        options = StackOptions(tmp_path, Ports.parse("any"), redis_url=url)
        with pytest.raises(UnreachableError, match=address) as error:
            async with running_stack(options, print):
                pass
    assert "--redis-url" in str(error.value)
    assert "hunter2" not in str(error.value)
    assert not (tmp_path / "postgres").exists()


async def test_a_cache_that_never_answers_is_named() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=f"{address} .* no answer within"):
            await reach_cache(f"redis://{address}", seconds=0.2)


async def test_a_cache_of_another_password_says_so_at_once(redis_server_url: str) -> None:
    parts = urlsplit(redis_server_url)
    address = parts.netloc.rpartition("@")[2]
    with pytest.raises(UnreachableError, match=f"{address} .*(?i:password)"):
        await reach_cache(f"redis://:wrong@{address}", seconds=60)
    await reach_cache(redis_server_url, seconds=60)


async def test_up_names_the_certificate_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    options = StackOptions(tmp_path / "data", Ports.parse("any"), certificates=tmp_path)
    with pytest.raises(StackError, match=r"has no identity\.pem: `laurel certs"):
        async with running_stack(options, print):
            pass
    assert not (tmp_path / "data").exists()


async def test_a_broken_trust_directory_is_told_and_left_as_it_is(layout: Layout) -> None:
    layout.trust_file.write_text("nonsense = 1\n")
    with pytest.raises(CommandError, match="trust file"):
        async with running_stack(StackOptions(layout.root, Ports.parse("any")), print):
            pass
    assert layout.trust_file.read_text() == "nonsense = 1\n"


def test_services_are_configured_by_variables_with_secrets_in_files(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_STRAY", "refused by the services")
    monkeypatch.setenv("LANG", "C.UTF-8")
    ports = Ports.parse("9001,9002,9003,9004")
    urls = {name: f"postgresql://laurel_{name}:word-{name}@h/d" for name in SERVICES}
    servers = Servers("postgresql://h/d", urls, {}, "redis://:hush@h/0")
    waves = service_programs(layout, servers, ports, log_level="warning")
    assert [[each.name for each in wave] for wave in waves] == [list(wave) for wave in STOP_WAVES]
    assert sorted(each.name for wave in waves for each in wave) == sorted(SERVICES)
    for program in (each for wave in waves for each in wave):
        environ = program.environ
        assert "LAUREL_STRAY" not in environ
        assert environ["LANG"] == "C.UTF-8"
        assert not [value for value in environ.values() if "word-" in value or "hush" in value]
        url = Path(environ["LAUREL_DATABASE_URL_FILE"])
        assert url.read_text() == urls[program.name]
        assert url.stat().st_mode & 0o777 == 0o600
        assert environ["LAUREL_LISTEN"] == ports.targets()[program.name]


def test_a_role_takes_the_place_of_the_owner_in_a_url() -> None:
    url = "postgresql://owner:p%40ss@db.example:5433/laurel?sslmode=require"
    assert with_login(url, "laurel_ingest", "a/b@c") == (
        "postgresql://laurel_ingest:a%2Fb%40c@db.example:5433/laurel?sslmode=require"
    )


def test_settings_of_a_service_go_on_to_it_and_to_no_other(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = {name: f"postgresql://laurel_{name}:word@h/d" for name in SERVICES}
    servers = Servers("postgresql://h/d", urls, {}, "redis://h/0")
    given = {
        "SCORING_CONCURRENCY": "1",
        "MAX_CONCURRENT_CALLS": "9",
        "REDIS_URL": "redis://elsewhere",
        "TLS_CA_FILE": "/elsewhere.pem",
        "LISTEN": "0.0.0.0:1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"LAUREL_{name}", value)
    waves = service_programs(layout, servers, Ports.parse("any"), log_level="info")
    environs = {each.name: each.environ for wave in waves for each in wave}
    for name, environ in environs.items():
        assert environ["LAUREL_MAX_CONCURRENT_CALLS"] == "9"
        assert ("LAUREL_SCORING_CONCURRENCY" in environ) == (name == "scoring")
        assert not {"LAUREL_REDIS_URL", "LAUREL_TLS_CA_FILE"} & environ.keys()
        assert environ["LAUREL_LISTEN"].startswith("127.0.0.1:")


def test_variables_that_nobody_knows_are_named() -> None:
    known = {
        *("LAUREL_DATABASE_URL", "LAUREL_TOKEN", "LAUREL_DATA", "LAUREL_INGEST_TARGET"),
        *("LAUREL_TEST_DATABASE_URL", "LAUREL_SCORING_CONCURRENCY", "HOME"),
    }
    strays = ["LAUREL_DATABSE_URL", "LAUREL_LISTEN_FILE"]
    assert unknown(dict.fromkeys([*known, *strays], "x")) == strays


def test_a_login_among_the_parameters_is_not_every_services() -> None:
    url = "postgresql:///laurel?host=/run/postgresql&user=owner&password=secret&port=5433"
    assert with_login(url, "laurel_ingest", "word") == (
        "postgresql://laurel_ingest:word@/laurel?host=/run/postgresql&port=5433"
    )


def test_a_deployments_passwords_are_made_once(layout: Layout) -> None:
    write_deployment(layout, database="db:5432/laurel", cache="cache:6379")
    first = {path.name: path.read_text() for path in layout.secrets.iterdir()}
    write_deployment(layout, database="db:5432/laurel", cache="cache:6379")
    assert {path.name: path.read_text() for path in layout.secrets.iterdir()} == first
    assert first["laurel_ingest"] in first["ingest-database-url"]
    assert first["ingest-database-url"].endswith("@db:5432/laurel")
    assert first["valkey-password"] in first["redis-url"]


def test_targets_come_from_options_then_variables_then_what_runs(layout: Layout) -> None:
    layout.endpoints_file.write_text('{"identity": "127.0.0.1:1", "ingest": "127.0.0.1:2"}')
    where = Where(data=layout.root, endpoints=("identity=h:9",))
    found = where.targets({"LAUREL_INGEST_TARGET": "i:8", "LAUREL_SCORING_TARGET": "s:7"})
    assert found == {
        "identity": "h:9",
        "ingest": "i:8",
        "scoring": "s:7",
        "leaderboard": "127.0.0.1:7404",
    }
    assert Where(data=layout.root).targets({})["ingest"] == "127.0.0.1:2"


@pytest.mark.parametrize("option", ["identity", "nobody=h:1", "identity="])
def test_an_endpoint_that_makes_no_sense_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="--endpoint"):
        Where(endpoints=(option,)).targets({})


def test_transport_is_plain_only_where_told_so() -> None:
    assert transport({}) == (None, False)
    told = {"LAUREL_ALLOW_INSECURE_BIND": "TRUE", "LAUREL_TLS_CA_FILE": "/ca.pem"}
    assert transport(told) == (Path("/ca.pem"), True)


def test_a_token_goes_before_a_key_and_nothing_is_refused(tmp_path: Path) -> None:
    assert isinstance(tokens_of(Where(data=tmp_path, token="abc")), StaticToken)
    with pytest.raises(RefusedError, match="no operator key"):
        tokens_of(Where(data=tmp_path))
    broken = tmp_path / "operator.pem"
    broken.write_text("no key")
    broken.chmod(0o600)
    with pytest.raises(RefusedError, match="not a private key"):
        tokens_of(Where(key=broken))


def test_an_operators_token_lives_an_hour_at_most(layout: Layout) -> None:
    ensure_credentials(layout)
    where = Where(data=layout.root)
    assert mint(where, audiences=SERVICES, lifetime=timedelta(hours=1)).count(".") == 2
    with pytest.raises(UsageError, match="one hour"):
        mint(where, audiences=SERVICES, lifetime=timedelta(hours=2))
    with pytest.raises(UsageError, match="audiences"):
        mint(where, audiences=["billing"], lifetime=timedelta(minutes=1))
