"""The ways in which a call to the directory fails."""

from laurel_common.errors import LaurelError, RetryableError


class OrganizationNotFound(LaurelError):
    """No such account, or none that the caller may see."""

    reason = "ORGANIZATION_NOT_FOUND"
    default_message = "no such organization"


class TeamNotFound(LaurelError):
    """No such team of the account."""

    reason = "TEAM_NOT_FOUND"
    default_message = "no such team of this account"


class GitHubNotConfigured(LaurelError):
    """No GitHub App is configured, so nothing can be asked of GitHub."""

    reason = "GITHUB_NOT_CONFIGURED"
    default_message = "no GitHub App is configured"


class AppNotInstalled(LaurelError):
    """The App is not installed there: it was uninstalled, or the account only imported."""

    reason = "APP_NOT_INSTALLED"
    default_message = "the App is not installed on this account"


class AppInstalled(LaurelError):
    """GitHub has the installation."""

    reason = "APP_INSTALLED"
    default_message = "the App is installed there: uninstall it at GitHub first"


class InstallationSuspended(LaurelError):
    """Somebody suspended the installation."""

    reason = "INSTALLATION_SUSPENDED"
    default_message = "the installation is suspended"


class GitHubUnavailable(RetryableError):
    """GitHub can't be reached, fails, or does not answer in time."""

    reason = "GITHUB_UNAVAILABLE"
    default_message = "GitHub does not answer"


class GitHubRateLimited(RetryableError):
    """GitHub's rate limit is used up; `retry_after` is what GitHub says."""

    reason = "GITHUB_RATE_LIMITED"
    default_message = "GitHub's rate limit is used up"


class GitHubRefused(LaurelError):
    """GitHub refuses the credentials, or what they are used for; `status` is HTTP's."""

    reason = "GITHUB_REFUSED"
    default_message = "GitHub refuses the request"

    def __init__(self, status: int) -> None:
        super().__init__(metadata={"status": str(status)})
        self.status = status


class SessionNotFound(LaurelError):
    """No such session, or none that the caller may see."""

    reason = "SESSION_NOT_FOUND"
    default_message = "no such session"


class SignInStateInvalid(LaurelError):
    """The state of a sign-in is none of ours."""

    reason = "SIGN_IN_STATE_INVALID"
    default_message = "the state is none of this service's"


class SignInExpired(LaurelError):
    """The sign-in was completed already, or began too long ago."""

    reason = "SIGN_IN_EXPIRED"
    default_message = "the sign-in was completed already or began too long ago"


class SignInCsrfMismatch(LaurelError):
    """Whoever came back from GitHub is not who set out."""

    reason = "SIGN_IN_CSRF_MISMATCH"
    default_message = "the sign-in was begun in another browser"


class SignInCodeRefused(LaurelError):
    """GitHub does not take the code."""

    reason = "SIGN_IN_CODE_REFUSED"
    default_message = "GitHub does not take the code: it was used, or has expired"


class SignInVerifierRefused(LaurelError):
    """GitHub does not take the PKCE verifier."""

    reason = "SIGN_IN_VERIFIER_REFUSED"
    default_message = "GitHub does not take the code's verifier"


class SignInMisconfigured(LaurelError):
    """GitHub does not take the App's client id, secret or callback; `problem` is its word."""

    reason = "SIGN_IN_MISCONFIGURED"
    default_message = "GitHub does not take the App's client id, secret or callback URL"

    def __init__(self, problem: str) -> None:
        super().__init__(metadata={"problem": problem})


class GitHubUserSuspended(LaurelError):
    """GitHub has suspended the user."""

    reason = "GITHUB_USER_SUSPENDED"
    default_message = "GitHub has suspended the user"


class GitHubTimeout(GitHubUnavailable):
    """GitHub did not answer in time."""

    reason = "GITHUB_TIMEOUT"
    default_message = "GitHub did not answer in time"


class InstallStateInvalid(LaurelError):
    """The state of an install is none of Laurel's, or somebody else's."""

    reason = "INSTALL_STATE_INVALID"
    default_message = "the state is none of this caller's"


class InstallStateExpired(LaurelError):
    """The state was used already, or is too old."""

    reason = "INSTALL_STATE_EXPIRED"
    default_message = "the state was used already, or is too old"


class UserNotFound(LaurelError):
    """No such user."""

    reason = "USER_NOT_FOUND"
    default_message = "no such user"


class IdentityClaimed(LaurelError):
    """The synthetic user is somebody else's; `user_id` in the metadata says whose."""

    reason = "IDENTITY_CLAIMED"
    default_message = "the synthetic user was claimed by somebody else: release it first"


class ClaimNotFound(LaurelError):
    """Nobody has claimed the synthetic user."""

    reason = "CLAIM_NOT_FOUND"
    default_message = "nobody has claimed this user"
