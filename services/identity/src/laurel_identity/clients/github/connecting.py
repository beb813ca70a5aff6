"""The App's client, as the settings say."""

import jwt

from laurel_common.config import ConfigError
from laurel_identity.application.github import AppClient, NoApp
from laurel_identity.clients.github.app import GitHubApp
from laurel_identity.clients.github.http import GitHubHttp
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
