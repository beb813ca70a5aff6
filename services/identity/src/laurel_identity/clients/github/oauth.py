"""GitHub's OAuth for the App's users: the authorization code flow with PKCE, and refreshing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from githubkit import UnauthAuthStrategy

from laurel_common.clock import Clock
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.domain.errors import (
    GitHubUnavailable,
    SignInCodeRefused,
    SignInMisconfigured,
    SignInVerifierRefused,
)
from laurel_identity.domain.github_tokens import GitHubTokens

_REFUSALS: dict[str, Callable[[], Exception]] = {
    "bad_verification_code": SignInCodeRefused,
    # RFC 6749's word for a code, and RFC 7636's for a verifier that does not fit it.
    "invalid_grant": SignInVerifierRefused,
    "bad_refresh_token": SignInCodeRefused,
}


class GitHubSignIn:
    """A SignInClient. GitHub answers refusals with 200 and a word for them."""

    def __init__(
        self,
        http: GitHubHttp,
        *,
        web_url: str,
        client_id: str,
        client_secret: str,
        callback_url: str | None,
        clock: Clock,
    ) -> None:
        self._http = http
        self._client = http.client(UnauthAuthStrategy())
        self._web_url = web_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._callback_url = callback_url
        self._clock = clock

    def authorize_url(self, state: str, challenge: str) -> str:
        """The page that asks the user."""
        query = {
            "client_id": self._client_id,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if self._callback_url is not None:
            query["redirect_uri"] = self._callback_url
        return f"{self._web_url}/login/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: str, verifier: str) -> GitHubTokens:
        """The tokens for a code."""
        given = {"code": code, "code_verifier": verifier}
        if self._callback_url is not None:
            given["redirect_uri"] = self._callback_url
        return self._tokens(await self._ask(given))

    async def refresh(self, refresh_token: str) -> GitHubTokens | None:
        """New tokens for a refresh token; None where GitHub refuses it."""
        given = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = await self._ask(given)
        if answer.get("error") in {"bad_refresh_token", "invalid_grant", "unauthorized"}:
            return None
        return self._tokens(answer)

    async def _ask(self, given: dict[str, str]) -> dict[str, Any]:
        credentials = {"client_id": self._client_id, "client_secret": self._client_secret}
        response = await self._http.request(
            self._client,
            "POST",
            f"{self._web_url}/login/oauth/access_token",
            json=credentials | given,
            headers={"Accept": "application/json"},
        )
        try:
            answer = response.json()
        except ValueError:
            raise GitHubUnavailable from None
        return answer if isinstance(answer, dict) else {}

    def _tokens(self, answer: dict[str, Any]) -> GitHubTokens:
        word = answer.get("error")
        if word is not None:
            raise _refusal(str(word)) from None
        if not isinstance(answer.get("access_token"), str):
            raise GitHubUnavailable
        now = self._clock.now()
        return GitHubTokens(
            access=answer["access_token"],
            token_type=str(answer.get("token_type", "bearer")),
            scope=str(answer.get("scope", "")),
            access_expires_at=_after(now, answer.get("expires_in")),
            refresh=answer.get("refresh_token") or None,
            refresh_expires_at=_after(now, answer.get("refresh_token_expires_in")),
        )


def _refusal(word: str) -> Exception:
    if word in _REFUSALS:
        return _REFUSALS[word]()
    return SignInVerifierRefused() if "verifier" in word else SignInMisconfigured(word)


def _after(now: datetime, seconds: Any) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=int(seconds))
