"""Who plays in the demo: an invented map makers' organization with people, bots, teams and code.

Ids are above everything that GitHub has given out, so that none of them is somebody.
"""

import math
from dataclasses import dataclass, field

ID_BASE = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """An account as GitHub names it; habits are in Habits."""

    id: int
    login: str
    name: str
    is_bot: bool = False

    @property
    def avatar_url(self) -> str:
        """Apps' avatars live below /in/, people's below /u/."""
        return f"https://avatars.githubusercontent.com/{'in' if self.is_bot else 'u'}/{self.id}?v=4"


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody works: how much, when, and what they like to do.

    `starts` and `leaves` are fractions of the year that is told.
    """

    utc_offset: int
    pull_requests_a_week: float
    reviewing: float
    talking: float
    commits_each: int = 3
    starts: float = 0.0
    leaves: float = math.inf


@dataclass(frozen=True, slots=True)
class Person:
    """An account with its habits and the teams that it is in, the first one its home."""

    account: Account
    teams: tuple[str, ...]
    habits: Habits
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """A team and the repositories that it works on."""

    id: int
    slug: str
    name: str
    description: str
    repositories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: how it merges, and what its work is about."""

    id: int
    name: str
    default_branch: str
    squashes: bool
    weight: float
    areas: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """owner/name."""
        return f"{ORGANIZATION.login}/{self.name}"


ORGANIZATION = Account(ID_BASE + 1, "meridian-maps", "Meridian Maps")


def _person(
    number: int, login: str, name: str, teams: str, habits: Habits, *, admin: bool = False
) -> Person:
    return Person(Account(ID_BASE + 100 + number, login, name), tuple(teams.split()), habits, admin)


PEOPLE = (
    _person(
        1, "ingrid-solberg", "Ingrid Solberg", "platform", Habits(1, 1.6, 1.5, 1.0), admin=True
    ),
    _person(2, "tnkosi", "Thabo Nkosi", "platform data", Habits(2, 1.3, 1.2, 0.7)),
    _person(3, "yuki-hoshino", "Yuki Hoshino", "platform", Habits(9, 1.8, 0.6, 0.4, 5)),
    _person(4, "rafaelcosta", "Rafael Costa", "web", Habits(-3, 1.5, 1.0, 1.4)),
    _person(5, "priya-raman", "Priya Raman", "web", Habits(5, 1.4, 1.7, 1.1), admin=True),
    _person(6, "oduya", "Chidi Oduya", "web", Habits(1, 1.0, 0.5, 0.8, 4)),
    _person(7, "lena-fischer", "Lena Fischer", "mobile", Habits(1, 1.3, 0.9, 0.9)),
    _person(8, "sam-whitlock", "Sam Whitlock", "mobile web", Habits(-5, 0.9, 0.7, 1.2)),
    _person(9, "mei-tan", "Mei Tan", "mobile", Habits(8, 1.1, 0.8, 0.5, 4)),
    _person(10, "anouk-girard", "Anouk Girard", "data", Habits(1, 1.2, 1.1, 0.8)),
    _person(11, "dkowalski", "Dariusz Kowalski", "data", Habits(1, 1.6, 0.4, 0.3, 6)),
    _person(12, "fatima-elamin", "Fatima El-Amin", "data platform", Habits(3, 0.9, 1.4, 0.9)),
    _person(
        13, "joaquin-ibarra", "Joaquín Ibarra", "platform", Habits(-6, 0.8, 0.6, 0.6, starts=0.35)
    ),
    _person(14, "hannah-oconnor", "Hannah O'Connor", "web", Habits(0, 1.2, 0.9, 1.0, starts=0.55)),
    _person(15, "vikram-shetty", "Vikram Shetty", "mobile", Habits(5, 1.0, 0.7, 0.6, leaves=0.7)),
    _person(16, "astrid-holm", "Astrid Holm", "data", Habits(1, 0.5, 0.3, 0.5, 2, starts=0.8)),
    _person(17, "noor-haddad", "Noor Haddad", "platform", Habits(2, 0.4, 2.0, 1.8, 2), admin=True),
    # Comes by from outside, belongs to no team.
    _person(18, "weekend-cartographer", "Bea Lindgren", "", Habits(-8, 0.3, 0.0, 1.5, 1)),
)

DEPENDENCY_BOT = Account(ID_BASE + 201, "depkeeper[bot]", "depkeeper", is_bot=True)
RELEASE_BOT = Account(ID_BASE + 202, "shipmate[bot]", "shipmate", is_bot=True)
BOTS = (DEPENDENCY_BOT, RELEASE_BOT)

REPOSITORIES = (
    Repository(
        ID_BASE + 301,
        "tileserver",
        "main",
        True,
        1.4,
        (
            "vector tiles",
            "the tile cache",
            "raster fallback",
            "the style endpoint",
            "TLS renewal",
            "request coalescing",
            "the health endpoint",
            "cold starts",
            "ETag handling",
        ),
        ("src/cache.rs", "src/tiles/encode.rs", "src/http/routes.rs"),
    ),
    Repository(
        ID_BASE + 302,
        "atlas-web",
        "main",
        False,
        1.3,
        (
            "the layer panel",
            "keyboard navigation",
            "the search box",
            "dark mode",
            "map printing",
            "offline tiles",
            "the legend",
            "route previews",
            "right-to-left labels",
        ),
        ("src/layers/Panel.tsx", "src/search/box.ts", "src/print/sheet.ts"),
    ),
    Repository(
        ID_BASE + 303,
        "geocoder",
        "master",
        False,
        1.0,
        (
            "fuzzy matching",
            "house number ranges",
            "postcode lookups",
            "the address index",
            "batch requests",
            "transliteration",
            "reverse lookups at borders",
            "score ties",
        ),
        ("geocoder/index.py", "geocoder/parse.py", "geocoder/rank.py"),
    ),
    Repository(
        ID_BASE + 304,
        "survey-app",
        "main",
        True,
        1.1,
        (
            "GPS drift",
            "photo uploads",
            "the sync queue",
            "offline forms",
            "battery use",
            "background location",
            "the onboarding",
            "conflict dialogs",
        ),
        ("app/src/sync/Queue.kt", "app/src/forms/Form.kt", "ios/Survey/Sync.swift"),
    ),
    Repository(
        ID_BASE + 305,
        "infrastructure",
        "main",
        True,
        0.7,
        (
            "the staging cluster",
            "backup restores",
            "alert routing",
            "node pools",
            "DNS failover",
            "log retention",
            "the deploy pipeline",
            "secret rotation",
        ),
        ("terraform/cluster.tf", "alerts/tiles.yaml", "deploy/pipeline.yaml"),
    ),
    Repository(
        ID_BASE + 306,
        "handbook",
        "main",
        False,
        0.5,
        (
            "the on-call guide",
            "release notes",
            "the style guide",
            "projection basics",
            "the incident template",
            "onboarding steps",
        ),
        ("docs/on-call.md", "docs/projections.md", "docs/release.md"),
    ),
)

TEAMS = (
    Team(
        ID_BASE + 401,
        "platform",
        "Platform",
        "Tiles, and what they run on",
        ("tileserver", "infrastructure", "handbook"),
    ),
    Team(ID_BASE + 402, "web", "Web", "The atlas in the browser", ("atlas-web", "handbook")),
    Team(ID_BASE + 403, "mobile", "Mobile", "The surveyors' app", ("survey-app",)),
    Team(ID_BASE + 404, "data", "Data", "Addresses and where they are", ("geocoder", "tileserver")),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody and everything by name."""

    people: tuple[Person, ...] = PEOPLE
    repositories: tuple[Repository, ...] = REPOSITORIES
    teams: tuple[Team, ...] = TEAMS
    by_slug: dict[str, Team] = field(default_factory=lambda: {team.slug: team for team in TEAMS})

    def at_home_in(self, person: Person) -> dict[str, float]:
        """What share of somebody's work goes into each repository; strangers go everywhere."""
        shares = {repository.name: 0.05 * repository.weight for repository in self.repositories}
        for place, slug in enumerate(person.teams):
            for name in self.by_slug[slug].repositories:
                shares[name] += (1.0 if place == 0 else 0.5) * self.weight_of(name)
        return shares

    def weight_of(self, name: str) -> float:
        """How busy a repository is, 1 being usual."""
        return next(each.weight for each in self.repositories if each.name == name)
