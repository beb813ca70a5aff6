"""Installation tokens in memory: what is dropped does not come back, also what was on its way."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from laurel_common.testing.clock import FakeClock
from laurel_identity.application.github import NoApp
from laurel_identity.application.installation_tokens import InstallationTokens
from laurel_identity.domain.github import InstallationToken

ACME = 42


@dataclass
class SlowApp(NoApp):
    """Mints a token a call, each when it is let."""

    clock: FakeClock
    minted: int = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def create_token(self, installation_id: int) -> InstallationToken:
        self.minted += 1
        token = f"ghs_{installation_id}_{self.minted}"
        await self.answers.wait()
        return InstallationToken(token, self.clock.now() + timedelta(hours=1))


async def test_a_token_that_is_minted_while_its_installation_is_suspended_is_not_kept() -> None:
    clock = FakeClock()
    app = SlowApp(clock)
    tokens = InstallationTokens(app, clock)
    waiting = [asyncio.create_task(tokens.get(ACME)) for _ in range(3)]
    await asyncio.sleep(0)
    # GitHub takes back what it gave: what it gives from now on is another one.
    tokens.forget(ACME)
    after = asyncio.create_task(tokens.get(ACME))
    await asyncio.sleep(0)
    app.answers.set()
    assert {each.token for each in await asyncio.gather(*waiting)} == {"ghs_42_1"}
    assert (await after).token == "ghs_42_2"
    assert ((await tokens.get(ACME)).token, app.minted) == ("ghs_42_2", 2)
    # One that is refused says nothing of another.
    tokens.forget(ACME, only="ghs_42_1")
    assert (await tokens.get(ACME)).token == "ghs_42_2"
    tokens.forget(ACME, only="ghs_42_2")
    assert (await tokens.get(ACME)).token == "ghs_42_3"
