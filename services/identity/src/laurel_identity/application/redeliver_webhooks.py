"""The use cases about webhooks that GitHub could not deliver: it tells of them, and tries again."""

from datetime import datetime

from laurel_identity.application.github import AppClient
from laurel_identity.application.paging import Page, PageRequest
from laurel_identity.domain.github import WebhookAttempt


class ListFailedWebhooks:
    """Pages of failed attempts, newest first.

    Raises GitHubNotConfigured, GitHubUnavailable, GitHubRateLimited, GitHubRefused.
    """

    def __init__(self, app: AppClient) -> None:
        self._app = app

    async def __call__(
        self, page: PageRequest[str], start: datetime | None
    ) -> Page[WebhookAttempt, str]:
        """Those at or after `start`; one that is older ends the list."""
        attempts, cursor = await self._app.webhook_attempts(page.after, page.size)
        recent = [each for each in attempts if start is None or each.attempted_at >= start]
        failed = [each for each in recent if each.is_failed]
        return Page(failed, cursor if len(recent) == len(attempts) else None)


class RedeliverWebhook:
    """Has GitHub deliver once more; False where it has the attempt no more. Raises as above."""

    def __init__(self, app: AppClient) -> None:
        self._app = app

    async def __call__(self, attempt_id: int) -> bool:
        return await self._app.redeliver(attempt_id)
