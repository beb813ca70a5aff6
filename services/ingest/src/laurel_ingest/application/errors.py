"""What a call to ingest may end in, beyond what every service has."""

from laurel_common.errors import LaurelError


class SignalsRefused(LaurelError):
    """A signal of an all-or-nothing batch was refused; nothing of the batch was written."""

    reason = "SIGNALS_REFUSED"
    default_message = "a signal was refused, and the batch is to be written whole or not at all"


class MalformedBatch(LaurelError):
    """The batch can't be read as what it says it is."""

    reason = "MALFORMED_BATCH"
    default_message = "the batch can't be read"


class StreamOutOfOrder(LaurelError):
    """Messages of a stream came in an order that means nothing."""

    reason = "STREAM_OUT_OF_ORDER"
    default_message = "the first message is the header, every further one a batch"


class WebhookRefused(LaurelError):
    """The delivery is not signed with a secret of ours; nothing of it is kept."""

    reason = "WEBHOOK_REFUSED"
    default_message = "the delivery's signature is missing or wrong"


class WebhookSecretMissing(LaurelError):
    """No webhook secret is configured, so no delivery can be told from a forgery."""

    reason = "WEBHOOK_SECRET_MISSING"
    default_message = "no webhook secret is configured; every delivery is refused"


class DeliveryNotFound(LaurelError):
    """No such delivery."""

    reason = "DELIVERY_NOT_FOUND"
    default_message = "there is no such delivery"


class DeliveryBodyGone(LaurelError):
    """The delivery's body was dropped, or was never kept."""

    reason = "DELIVERY_BODY_GONE"
    default_message = "the delivery's body is not kept any more"


class ThingNotFound(LaurelError):
    """No such thing is known of the installation."""

    reason = "THING_NOT_FOUND"
    default_message = "no such pull request, issue, comment or review is known here"


class UserNotFound(LaurelError):
    """No such user."""

    reason = "USER_NOT_FOUND"
    default_message = "there is no such user"


class IngestNotFound(LaurelError):
    """No such run of this installation."""

    reason = "INGEST_NOT_FOUND"
    default_message = "the installation has no such ingest run"


class IngestRunning(LaurelError):
    """A run of the same scope is not over."""

    reason = "INGEST_RUNNING"
    default_message = "a run of the same scope is not over yet"


class IngestCoolingDown(LaurelError):
    """The scope was ingested less than a day ago."""

    reason = "INGEST_COOLING_DOWN"
    default_message = "the scope was ingested less than 24 hours ago"


class TeamNotFound(LaurelError):
    """No such team, or none that the caller may see."""

    reason = "TEAM_NOT_FOUND"
    default_message = "there is no such team"


class RepositoryNotFound(LaurelError):
    """No such repository, or none that the caller may see."""

    reason = "REPOSITORY_NOT_FOUND"
    default_message = "the installation has no such repository"


class WorkSuperseded(Exception):
    """Somebody else reads the repository by now, or the run is over; nothing was written."""
