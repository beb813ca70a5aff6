"""Puts identity together: every port can be replaced by an argument."""

from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.identity.v1 import (
    directory_pb2,
    directory_pb2_grpc,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_common.auth.keys import derive_secret, load_private_key
from laurel_common.auth.trust import TrustDirectory
from laurel_common.clock import Clock, SystemClock
from laurel_common.db.engine import create_engine
from laurel_common.page_token import PageTokens
from laurel_common.rpc.health import HealthCheck, database_check, schema_check
from laurel_common.rpc.server import RpcServer, Servicer, build_server
from laurel_identity.application.batch_get_users import BatchGetUsers
from laurel_identity.application.create_installation_token import CreateInstallationToken
from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.get_organization import GetOrganization
from laurel_identity.application.github import AppClient, NoApp
from laurel_identity.application.installation_tokens import InstallationTokens
from laurel_identity.application.list_installations import ListInstallations
from laurel_identity.application.list_organizations import ListOrganizations
from laurel_identity.application.list_repositories import ListRepositories
from laurel_identity.application.list_team_relations import ListTeamRelations
from laurel_identity.application.list_teams import ListTeams
from laurel_identity.application.ports import Directory, DirectoryReader, TenantReader
from laurel_identity.application.resolve_logins import ResolveLogins
from laurel_identity.application.upsert_entities import UpsertEntities
from laurel_identity.clients.github.connecting import app_client
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.config import IdentitySettings
from laurel_identity.domain.entities import Kind
from laurel_identity.rpc.directory_servicer import DirectoryServicer, DirectoryUseCases
from laurel_identity.rpc.installation_servicer import InstallationServicer, InstallationUseCases
from laurel_identity.storage.directory import SqlDirectory
from laurel_identity.storage.directory_reads import SqlDirectoryReader
from laurel_identity.storage.tenant_reads import SqlTenantReader

_PAGE_TOKENS = "identity page tokens"


async def bootstrap(
    settings: IdentitySettings,
    *,
    engine: AsyncEngine | None = None,
    directory: Directory | None = None,
    directory_reader: DirectoryReader | None = None,
    tenant_reader: TenantReader | None = None,
    app: AppClient | None = None,
    clock: Clock | None = None,
    trust: TrustDirectory | None = None,
) -> RpcServer:
    """Builds the service within the running event loop; nothing is bound or connected yet.

    Raises ConfigError, KeyFileError and TrustFileError for settings that can't be used.
    """
    engine = engine or create_engine(
        settings.database_url,
        application_name="laurel-identity",
        pool_size=settings.database_pool_size,
    )
    clock = clock or SystemClock()
    http = GitHubHttp(settings.github_api_url)
    tokens = PageTokens(derive_secret(load_private_key(settings.key_file), _PAGE_TOKENS))
    servicers = build_servicers(
        directory or SqlDirectory(engine, writers=max(1, settings.database_pool_size // 2)),
        directory_reader or SqlDirectoryReader(engine),
        tenant_reader or SqlTenantReader(engine),
        tokens,
        clock,
        app=app or app_client(settings, http),
    )
    return build_server(
        settings,
        servicers,
        health_checks=health_checks(engine),
        closers=[http.aclose, engine.dispose],
        clock=clock,
        trust=trust,
    )


def build_servicers(
    directory: Directory,
    directory_reader: DirectoryReader,
    tenant_reader: TenantReader,
    tokens: PageTokens,
    clock: Clock,
    *,
    app: AppClient | None = None,
) -> list[Servicer]:
    """The servicers over these ports."""
    directory_servicer = DirectoryServicer(
        DirectoryUseCases(
            upsert_entities=UpsertEntities(directory, clock),
            batch_get_users=BatchGetUsers(directory_reader),
            resolve_logins=ResolveLogins(directory_reader),
            get_organization=GetOrganization(directory_reader),
            list_organizations=ListOrganizations(directory_reader),
            list_repositories=ListRepositories(tenant_reader),
            list_teams=ListTeams(tenant_reader),
            list_team_members=ListTeamRelations(tenant_reader, Kind.TEAM_MEMBER),
            list_team_repositories=ListTeamRelations(tenant_reader, Kind.TEAM_REPOSITORY),
        ),
        tokens,
    )
    get_installation = GetInstallation(tenant_reader)
    installation_servicer = InstallationServicer(
        InstallationUseCases(
            list_installations=ListInstallations(tenant_reader),
            get_installation=get_installation,
            create_installation_token=CreateInstallationToken(
                get_installation, InstallationTokens(app or NoApp(), clock)
            ),
        ),
        tokens,
    )
    return [
        (
            directory_pb2_grpc.add_DirectoryServiceServicer_to_server,
            directory_servicer,
            directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
        ),
        (
            installation_pb2_grpc.add_InstallationServiceServicer_to_server,
            installation_servicer,
            installation_pb2.DESCRIPTOR.services_by_name["InstallationService"],
        ),
    ]


def health_checks(engine: AsyncEngine) -> list[HealthCheck]:
    """What identity needs: the database, with the schema that this code counts on."""
    return [database_check(engine), schema_check(engine)]
