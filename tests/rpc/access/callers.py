"""Everybody who may come along: people who signed in, keys of every kind, and strangers."""

from dataclasses import dataclass

from laurel.identity.v1 import auth_sessions_pb2
from laurel_cli.stack.credentials import methods_of
from laurel_cli.stack.layout import SERVICES
from laurel_common.auth.principal import PrincipalKind
from tests.rpc.identity.signing_in import Door

K = PrincipalKind
ANOTHER_INSTALLATION = 4242


@dataclass
class Caller:
    """Somebody who calls; `users` are the accesses that the servicer is told of, by what they are
    in acme.
    """

    name: str
    kind: PrincipalKind | None = None
    token: str = ""
    # Which installations a key covers; None: all.
    installations: frozenset[int] | None = None
    methods: tuple[str, ...] = ("*",)
    # A user's: its place in acme, and what is told of it.
    place: str = ""
    sees: str = ""
    # Whether its token has expired.
    late: bool = False
    refusals: frozenset[str] = frozenset()


async def people(front: Door) -> tuple[int, list[Caller]]:
    """Acme with something to hide, and everybody who may come along; acme's installation."""
    world = front.world
    acme, globex = world.organization("acme"), world.organization("globex")
    users = {name: world.user(name) for name in ("ada", "mona", "bob", "otto", "zoe")}
    for name, organization, role in (
        ("ada", acme, "admin"),
        ("mona", acme, "member"),
        ("bob", acme, "member"),
        ("zoe", globex, "admin"),
    ):
        world.join(organization, users[name], role)
    allowed = {users["mona"].id: "read", users["otto"].id: "read"}
    vault = world.repository(acme, "vault", private=True, collaborators=allowed)
    world.repository(acme, "site")
    installation_id = front.install(acme)
    front.install(globex)
    signed = {name: await front.sign_in(user) for name, user in users.items()}
    gone = await front.sign_in(users["ada"])
    await front.auth(gone.session_token).RevokeSession(
        auth_sessions_pb2.RevokeSessionRequest(session_id=gone.session.session_id)
    )
    late = await front.sign_in(users["bob"])
    with front.database.connect() as owner:
        owner.execute(
            "INSERT INTO teams (id, organization_id, slug, name, privacy)"
            " VALUES (9001, %s, 'skunks', 'Skunks', 'secret')",
            [acme.id],
        )
        owner.execute(
            "INSERT INTO team_members (team_id, user_id) VALUES (9001, %s)", [users["mona"].id]
        )
        owner.execute(
            "UPDATE auth_sessions SET expires_at = created_at WHERE id = %s",
            [late.session.session_id],
        )
    front.identity.forget()

    def user(name: str, place: str, sees: str = "") -> Caller:
        return Caller(name, K.USER, signed[name].session_token, place=place, sees=sees)

    refused = frozenset({"UNAUTHENTICATED"})
    over = frozenset({"UNAUTHENTICATED", "TOKEN_EXPIRED"})
    keys = [Caller(name, K.SERVICE, methods=tuple(methods_of(name))) for name in SERVICES]
    return installation_id, [
        Caller("nobody", refusals=refused),
        Caller("garbage", token="x.y.z", refusals=refused),
        Caller("a session of nobody's", token="0" * 64, refusals=refused),
        Caller("a stolen id", token=signed["ada"].session.session_id, refusals=refused),
        Caller("expired", token=late.session_token, refusals=over),
        Caller("revoked", token=gone.session_token, refusals=refused),
        user("zoe", "stranger"),
        user("otto", "outside", f"- [] [] [{vault.id}]"),
        user("mona", "member", "- [] [] None"),
        user("bob", "member", f"- [{vault.id}] [9001] None"),
        user("ada", "admin", "admin [] [] None"),
        *keys,
        Caller("scoring, too late", K.SERVICE, late=True, refusals=frozenset({"TOKEN_EXPIRED"})),
        Caller("operator, too late", K.OPERATOR, late=True, refusals=frozenset({"TOKEN_EXPIRED"})),
        Caller("reports", K.BACKEND, installations=frozenset({installation_id})),
        Caller("elsewhere", K.BACKEND, installations=frozenset({ANOTHER_INSTALLATION})),
        Caller("gateway", K.GATEWAY),
        Caller("operator", K.OPERATOR),
    ]
