"""The App's clients, as the settings say."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from laurel_common.clock import Clock
from laurel_common.config import ConfigError
from laurel_identity.application.github import AppClient, NoApp
from laurel_identity.application.sign_in_ports import NoSignIn, SignInClient
from laurel_identity.clients.github.app import GitHubApp
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.clients.github.oauth import GitHubSignIn
from laurel_identity.config import IdentitySettings

# GitHub's are of 2,048.
_SHORTEST_KEY_BITS = 2048


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
    if problem := _wrong_with(key):
        raise ConfigError([f"LAUREL_GITHUB_APP_PRIVATE_KEY: {problem}"])
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


def _wrong_with(private_key: str) -> str:
    """What keeps a text from being the App's key; empty where it may be."""
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        return "not an RSA private key in PEM"
    short = key.key_size < _SHORTEST_KEY_BITS
    return f"shorter than {_SHORTEST_KEY_BITS} bits" if short else ""
