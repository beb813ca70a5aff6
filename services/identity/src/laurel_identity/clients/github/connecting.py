"""The App's clients, as the settings say."""

import jwt

from laurel_common.clock import Clock
from laurel_common.config import ConfigError
from laurel_identity.application.github import AppClient, NoApp
from laurel_identity.application.sign_in_ports import NoSignIn, SignInClient
from laurel_identity.clients.github.app import GitHubApp
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.clients.github.oauth import GitHubSignIn
from laurel_identity.config import IdentitySettings


def app_client(settings: IdentitySettings, http: GitHubHttp) -> AppClient:
    """The App that is configured, or the one that says that none is.

    Raises ConfigError for half of an App, and for a key that GitHub could not have made.
    """
    app_id, key = settings.github_app_id, settings.github_app_private_key
    if app_id is None and key is None:
        return NoApp()
    if app_id is None:
        raise ConfigError(["LAUREL_GITHUB_APP_ID: missing beside the App's private key"])
    if key is None:
        raise ConfigError(["LAUREL_GITHUB_APP_PRIVATE_KEY: missing beside the App's id"])
    try:
        jwt.encode({}, key, algorithm="RS256")
    except (jwt.InvalidKeyError, ValueError, TypeError):
        problem = "LAUREL_GITHUB_APP_PRIVATE_KEY: not an RSA private key in PEM"
        raise ConfigError([problem]) from None
    return GitHubApp(http, app_id, key)


def sign_in_client(settings: IdentitySettings, http: GitHubHttp, clock: Clock) -> SignInClient:
    """The App's OAuth that is configured, or the one that says that none is.

    Raises ConfigError for half of it.
    """
    client_id, secret = settings.github_client_id, settings.github_client_secret
    if client_id is None and secret is None:
        return NoSignIn()
    if client_id is None:
        raise ConfigError(["LAUREL_GITHUB_CLIENT_ID: missing beside the client's secret"])
    if secret is None:
        raise ConfigError(["LAUREL_GITHUB_CLIENT_SECRET: missing beside the client's id"])
    return GitHubSignIn(
        http,
        web_url=settings.github_web_url,
        client_id=client_id,
        client_secret=secret,
        callback_url=settings.github_callback_url,
        clock=clock,
    )
