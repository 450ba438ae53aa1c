"""Every exception that Second Read raises on purpose, in one tree.

The message of each is a sentence for the person at the screen: what must hold, what was got, what to do.
"""


class SecondReadError(Exception):
    """Base of all; the command line and the pages print its message and go on."""


class ImageError(SecondReadError):
    """The bytes are not an image that a model may be shown."""


class LabelsError(SecondReadError):
    """The labels CSV cannot be used as it is."""


class BundleError(SecondReadError):
    """A model bundle is incomplete, altered or unsafe."""


class CalibrationError(SecondReadError):
    """The held-out data do not allow a calibration."""


class ExplanationError(SecondReadError):
    """A saliency map cannot be made for this model, class or image."""


class MorphologyError(SecondReadError):
    """A cell cannot be segmented or measured."""


class SourceError(SecondReadError):
    """A folder, file or archive given for a batch cannot be read."""


class CaseError(SecondReadError):
    """A case on disk is missing, damaged or in use."""


class AuditLogError(SecondReadError):
    """The audit log is damaged, or an event does not fit it."""


class StorageError(SecondReadError):
    """The disk refused to keep something (full, read-only, no permission)."""


class TrainingError(SecondReadError):
    """Training cannot start or go on."""


class ExplorationError(SecondReadError):
    """One part of an exploratory report cannot be made from these images; the others can."""
