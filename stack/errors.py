"""Errors of setting up and starting. Standard library only, since the setup starts with nothing else."""


class StackError(Exception):
    """The command failed; the message above says what to do."""

    def __init__(self, message: str | None = None) -> None:
        """Take a message that names the cure; the class's docstring is the default."""
        super().__init__(message or (type(self).__doc__ or "").strip())


class PrerequisiteMissing(StackError):
    """This machine lacks a prerequisite; install it and run `make setup` again."""


class NotSetUp(StackError):
    """The servers have not been downloaded yet; run `make setup` first."""


class DownloadFailed(StackError):
    """A download failed; check the network and run `make setup` again: it continues where it stopped."""


class ChecksumMismatch(StackError):
    """A downloaded file is not the one this version was tested with; delete it and run `make setup` again."""


class StartFailed(StackError):
    """A server or service did not start; `make logs` shows its output."""


class ForeignFolder(StackError):
    """The var folder holds files that Driftline did not create; set DRIFTLINE_VAR to an empty folder."""
