"""What can go wrong while setting up or starting; standard library only, since setting up begins with nothing else."""


class StackError(Exception):
    """The stack could not do what was asked; the message above says what to do."""

    def __init__(self, message: str | None = None) -> None:
        """Take a message that names the cure; the class's docstring is the default."""
        super().__init__(message or (type(self).__doc__ or "").strip())


class PrerequisiteMissing(StackError):
    """Something that this machine must offer is missing; install it and run `make setup` again."""


class NotSetUp(StackError):
    """The servers have not been downloaded yet; run `make setup` first."""


class DownloadFailed(StackError):
    """A download failed; check the network and run `make setup` again: it goes on where it stopped."""


class ChecksumMismatch(StackError):
    """A downloaded file is not the one this version was tested with; delete it and run `make setup` again."""


class StartFailed(StackError):
    """A server or service did not start; `make logs` shows what it said."""


class ForeignFolder(StackError):
    """The var folder holds files that Driftline did not put there; point DRIFTLINE_VAR to a folder of its own."""
