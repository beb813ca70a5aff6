"""Puts together what identity does about installations."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_identity.application.begin_install import BeginInstall, InstallStates
from laurel_identity.application.create_installation_token import CreateInstallationToken
from laurel_identity.application.erase_installation import EraseInstallation
from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.github import AppClient
from laurel_identity.application.handle_installation_event import HandleInstallationEvent
from laurel_identity.application.installation_ports import SessionEnder, TeamForgetter
from laurel_identity.application.installation_tokens import InstallationTokens
from laurel_identity.application.link_installation import (
    LinkInstallation,
    SessionLinks,
    SessionTokens,
    UserInstallations,
)
from laurel_identity.application.list_installations import ListInstallations
from laurel_identity.application.ports import Directory
from laurel_identity.application.redeliver_webhooks import ListFailedWebhooks, RedeliverWebhook
from laurel_identity.application.reread import Reread
from laurel_identity.application.sync_installations import SyncInstallations
from laurel_identity.application.take_in import TakeIn
from laurel_identity.application.work_ports import Erasures
from laurel_identity.clients.github.account import GitHubAccounts
from laurel_identity.clients.github.connecting import app_client
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.config import IdentitySettings
from laurel_identity.rpc.installation_servicer import InstallationUseCases
from laurel_identity.storage.tenant_reads import SqlTenantReader


@dataclass(frozen=True, slots=True)
class UserSide:
    """What users' sessions have to do with installations."""

    end: SessionEnder
    tokens: SessionTokens
    installations: UserInstallations
    links: SessionLinks
    states: InstallStates


@dataclass(frozen=True, slots=True)
class GitHub:
    """GitHub, as identity asks it."""

    http: GitHubHttp
    app: AppClient


def github_of(settings: IdentitySettings) -> GitHub:
    """GitHub, where the settings say that it is. Raises ConfigError."""
    http = GitHubHttp(settings.github_api_url)
    return GitHub(http, app_client(settings, http))


def installation_use_cases(
    engine: AsyncEngine,
    directory: Directory,
    github: GitHub,
    *,
    users: UserSide,
    forget_team: TeamForgetter,
    erasures: Erasures,
    clock: Clock,
) -> InstallationUseCases:
    """What InstallationService does."""
    tenants = SqlTenantReader(engine)
    tokens = InstallationTokens(github.app, clock)
    get_installation = GetInstallation(tenants)
    reread = Reread(github.app, GitHubAccounts(github.http, tokens), clock)
    take_in = TakeIn(directory, tenants, forget_team)
    return InstallationUseCases(
        list_installations=ListInstallations(tenants),
        get_installation=get_installation,
        create_installation_token=CreateInstallationToken(get_installation, tokens),
        handle_installation_event=HandleInstallationEvent(reread, take_in, tenants, users.end),
        begin_install=BeginInstall(github.app, users.states),
        link_installation=LinkInstallation(
            states=users.states,
            tokens=users.tokens,
            users=users.installations,
            links=users.links,
            reread=reread,
            take_in=take_in,
            tenants=tenants,
        ),
        erase_installation=EraseInstallation(tenants, erasures),
        sync_installations=SyncInstallations(github.app, reread, take_in, tenants, tenants),
        list_failed_webhooks=ListFailedWebhooks(github.app),
        redeliver_webhook=RedeliverWebhook(github.app),
    )
