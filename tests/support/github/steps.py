"""Turns drawn numbers into steps of a history, whatever the world has at the time."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from tests.support.github.life import Life
from tests.support.github.world import Repository, Team

T = TypeVar("T")
Step = tuple[int, int, int, int]


class Steps:
    """Two organizations and a user account with the App, and people in the first one."""

    def __init__(self, history: Life, prefix: str) -> None:
        self.history, self.world, self._prefix = history, history.world, prefix
        self._count = 0
        self.acme = self.world.organization(f"{prefix}-acme")
        self.globex = self.world.organization(f"{prefix}-globex")
        self.solo = self.world.user(f"{prefix}-solo")
        self.owners = [self.acme, self.globex, self.solo]
        self.users = [self.world.user(f"{prefix}-user{number}") for number in range(3)]
        for owner in self.owners:
            history.create_repository(owner, "first")
            history.install(owner)
        for user in self.users[:2]:
            history.join(self.acme, user)
        history.join_team(history.create_team(self.acme, "core"), self.users[0])
        self._actions: list[Callable[[int, int, int, datetime], None]] = [
            self._installation, self._account, self._membership, self._team, self._team_member,
            self._team_repository, self._repository, self._user,
        ]  # fmt: skip

    def take(self, step: Step, now: datetime) -> None:
        """One step; numbers are taken modulo what there is."""
        action, first, second, third = step
        self._actions[action % len(self._actions)](first, second, third, now)

    def _installation(self, which: int, what: int, _: int, now: datetime) -> None:
        account = self.owners[which % 3]
        installation = self.world.installation_of(account.id)
        if installation is None:
            self.history.install(account, ["all", "selected"][what % 2])
        elif what % 4 == 0:
            self.history.uninstall(account)
        elif what % 4 == 1:
            self.history.suspend(account, None if installation.suspended_at else now)
        else:
            self.history.select(account, self.world.repositories_of(account.id)[what % 2 :])

    def _account(self, which: int, _what: int, _: int, _now: datetime) -> None:
        self.history.rename(self.owners[which % 3], self._name("account"))

    def _membership(self, which: int, what: int, _: int, _now: datetime) -> None:
        user = self._pick(self.users, which)
        if user is not None:
            (self.history.leave if what % 2 else self.history.join)(self.acme, user)

    def _team(self, which: int, what: int, privacy: int, _now: datetime) -> None:
        team = self._pick(self._teams(), which)
        level = ["closed", "secret"][privacy % 2]
        if team is None or what % 3 == 0:
            self.history.create_team(self.acme, self._name("team"), level)
        elif what % 3 == 1:
            self.history.edit_team(team, self._name("team"), level)
        else:
            self.history.delete_team(team)

    def _team_member(self, which: int, whom: int, what: int, _now: datetime) -> None:
        team, user = self._pick(self._teams(), which), self._pick(self.users, whom)
        if team is None or user is None:
            return
        if what % 3 == 0:
            self.history.leave_team(team, user)
        else:
            self.history.join_team(team, user, ["member", "maintainer"][what % 2])

    def _team_repository(self, which: int, whose: int, what: int, _now: datetime) -> None:
        team = self._pick(self._teams(), which)
        repository = self._pick(self.world.repositories_of(self.acme.id), whose)
        if team is not None and repository is not None:
            permission = [None, "push", "admin"][what % 3]
            self.history.give_team(team, repository, permission)

    def _repository(self, which: int, what: int, whom: int, _now: datetime) -> None:
        repository = self._pick(list(self.world.repositories.values()), which)
        changes: list[Callable[[Repository], object]] = [
            lambda it: self.history.change_repository(it, "renamed", name=self._name("repository")),
            lambda it: self.history.change_repository(it, "privatized", private=not it.private),
            lambda it: self.history.change_repository(it, "archived", archived=not it.archived),
            lambda it: self.history.transfer(it, self.owners[whom % 3]),
            self.history.delete_repository,
        ]
        if repository is None or what % 6 == 5:
            self.history.create_repository(self.owners[whom % 3], self._name("repository"))
        else:
            changes[what % 6](repository)

    def _user(self, which: int, _what: int, _: int, _now: datetime) -> None:
        user = self._pick(self.users, which)
        if user is not None:
            self.users.remove(user)
            self.history.delete_user(user)

    def _teams(self) -> list[Team]:
        return self.world.teams_of(self.acme.id)

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{self._prefix}-{kind}-{self._count}"

    @staticmethod
    def _pick(things: list[T], number: int) -> T | None:
        return things[number % len(things)] if things else None
