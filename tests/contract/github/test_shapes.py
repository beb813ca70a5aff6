"""Every answer of the simulated GitHub reads as GitHub's published description says."""

from tests.contract.github.conftest import Running


async def test_the_app_reads_itself_and_its_installations(running: Running) -> None:
    client, acme = running.app(), running.acme
    apps = client.rest.apps
    app = (await apps.async_get_authenticated()).parsed_data
    listed = (await apps.async_list_installations()).parsed_data
    one = (await apps.async_get_installation(acme.installation.id)).parsed_data
    by_organization = (await apps.async_get_org_installation("acme")).parsed_data
    by_user = (await apps.async_get_user_installation("acme")).parsed_data
    by_repository = (await apps.async_get_repo_installation("acme", "anvil")).parsed_data
    assert app.slug == acme.world.app.slug
    assert [found.id for found in listed] == [acme.installation.id]
    for found in (one, by_organization, by_user, by_repository):
        assert (found.id, found.target_id) == (acme.installation.id, acme.organization.id)


async def test_the_app_reads_what_became_of_its_webhooks(running: Running) -> None:
    client = running.app()
    apps = client.rest.apps
    failed = running.acme.world.attempt("guid", "push", running.clock.now(), 504)
    running.acme.world.attempt("other", "push", running.clock.now(), 200)
    (listed,) = (await apps.async_list_webhook_deliveries(status="failure")).parsed_data
    assert (listed.id, listed.guid, listed.status_code) == (failed.id, "guid", 504)
    assert (await apps.async_redeliver_webhook_delivery(failed.id)).status_code == 202
    newest, *rest = (await apps.async_list_webhook_deliveries()).parsed_data
    assert (newest.guid, newest.redelivery, newest.status, len(rest)) == ("guid", True, "OK", 2)


async def test_an_installation_reads_its_account(running: Running) -> None:
    client, acme = await running.installation(), running.acme
    given = (await client.rest.apps.async_list_repos_accessible_to_installation()).parsed_data
    organization = (await client.rest.orgs.async_get("acme")).parsed_data
    members = (await client.rest.orgs.async_list_members("acme")).parsed_data
    admins = (await client.rest.orgs.async_list_members("acme", role="admin")).parsed_data
    membership = (await client.rest.orgs.async_get_membership_for_user("acme", "ann")).parsed_data
    repositories = (await client.rest.repos.async_list_for_org("acme")).parsed_data
    repository = (await client.rest.repos.async_get("acme", "vault")).parsed_data
    assert [found.full_name for found in given.repositories] == ["Acme/anvil", "Acme/vault"]
    assert organization.id == acme.organization.id
    assert [member.login for member in members] == ["ann", "bob"]
    assert [member.login for member in admins] == ["ann"]
    assert membership.role == "admin"
    assert [found.name for found in repositories] == ["anvil", "vault"]
    assert repository.private


async def test_an_installation_reads_its_teams(running: Running) -> None:
    client = await running.installation()
    teams = client.rest.teams
    listed = (await teams.async_list("acme")).parsed_data
    one = (await teams.async_get_by_name("acme", "smiths")).parsed_data
    members = (await teams.async_list_members_in_org("acme", "smiths")).parsed_data
    role = (await teams.async_get_membership_for_user_in_org("acme", "smiths", "bob")).parsed_data
    repositories = (await teams.async_list_repos_in_org("acme", "smiths")).parsed_data
    assert [team.slug for team in listed] == ["smiths", "hidden"]
    assert (one.members_count, one.repos_count) == (1, 1)
    assert [member.login for member in members] == ["bob"]
    assert role.role == "maintainer"
    assert [(found.name, found.role_name) for found in repositories] == [("vault", "push")]


async def test_a_repositorys_teams_are_listed(running: Running) -> None:
    client = await running.installation()
    teams = (await client.rest.repos.async_list_teams("acme", "vault")).parsed_data
    assert [(team.slug, team.permission) for team in teams] == [("smiths", "push")]


async def test_a_user_reads_itself_and_what_it_may_see(running: Running) -> None:
    client, acme = running.user(running.acme.bob), running.acme
    own = (await client.rest.users.async_get_authenticated()).parsed_data
    by_id = (await client.rest.users.async_get_by_id(acme.ann.id)).parsed_data
    by_login = (await client.rest.users.async_get_by_username("ann")).parsed_data
    organizations = (await client.rest.orgs.async_list_for_authenticated_user()).parsed_data
    memberships = (
        await client.rest.orgs.async_list_memberships_for_authenticated_user()
    ).parsed_data
    apps = client.rest.apps
    installations = (await apps.async_list_installations_for_authenticated_user()).parsed_data
    repositories = (
        await apps.async_list_installation_repos_for_authenticated_user(acme.installation.id)
    ).parsed_data
    assert own.login == "bob"
    assert by_id.name == by_login.name == "Ann"
    assert [found.login for found in organizations] == ["Acme"]
    assert [found.role for found in memberships] == ["member"]
    assert [found.id for found in installations.installations] == [acme.installation.id]
    assert [found.name for found in repositories.repositories] == ["anvil", "vault"]


async def test_ids_outlive_names(running: Running) -> None:
    client, acme = await running.installation(), running.acme
    acme.organization.login, acme.private.name, acme.team.slug = "Acme-Corp", "safe", "forge"
    for path, name in {
        f"/organizations/{acme.organization.id}": "login",
        f"/repositories/{acme.private.id}": "full_name",
        f"/organizations/{acme.organization.id}/team/{acme.team.id}": "slug",
    }.items():
        found = (await client.arequest("GET", path)).json()
        assert found[name] in {"Acme-Corp", "Acme-Corp/safe", "forge"}
