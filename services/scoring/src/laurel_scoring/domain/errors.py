"""What a call to scoring may end in; each class names its ErrorReason."""

from laurel_common.errors import LaurelError


class ScoreOutOfRange(LaurelError):
    """The rules make a score that the database's numeric(12,4) can't hold."""

    reason = "SCORE_OUT_OF_RANGE"
    default_message = "the rules make a score beyond 99,999,999.9999 points"


class PresetNotFound(LaurelError):
    """The installation has no such preset."""

    reason = "PRESET_NOT_FOUND"
    default_message = "no such preset of this installation"


class PresetNameTaken(LaurelError):
    """Another preset of the installation has the name."""

    reason = "PRESET_NAME_TAKEN"
    default_message = "another preset of this installation has this name"


class PresetProtected(LaurelError):
    """The preset has to stay as it is."""

    reason = "PRESET_PROTECTED"
    default_message = "this preset can't be deleted"


class EtagStale(LaurelError):
    """The preset was changed since the caller read it."""

    reason = "ETAG_STALE"
    default_message = "the preset was changed since it was read"


class ScoringNotFound(LaurelError):
    """The installation has no such run."""

    reason = "SCORING_NOT_FOUND"
    default_message = "no such scoring run of this installation"


class BoardNotFound(LaurelError):
    """The board was never scored."""

    reason = "BOARD_NOT_FOUND"
    default_message = "the board was never scored"


class EntityNotFound(LaurelError):
    """The entity is not on the board."""

    reason = "ENTITY_NOT_FOUND"
    default_message = "the entity is not on this board"


class VersionNotCurrent(LaurelError):
    """Only the current version explains itself."""

    reason = "VERSION_NOT_CURRENT"
    default_message = "this version is not the board's current one"


class InputsChanged(LaurelError):
    """The inputs moved since the version was made, and no new one came in time."""

    reason = "INPUTS_CHANGED"
    default_message = "the inputs changed and the boards could not be scored again in time"
