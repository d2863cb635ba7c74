"""What can go wrong on somebody's machine, each as one clear line that says what to do."""


class EmbeddedError(Exception):
    """The local runtime cannot do what was asked; the message is one line for the person at the terminal."""


class ToolMissing(EmbeddedError):
    """A program or package that the local runtime needs is absent or too old."""


class PortTaken(EmbeddedError):
    """Another program listens on the port that was asked for."""

    def __init__(self, what: str, port: int) -> None:
        super().__init__(
            f"{what} cannot use port {port}: another program listens there. Stop it, or take ports that are free: "
            "`.venv/bin/handrail demo --port 0`, or `up` for `demo`."
        )


class NoSpace(EmbeddedError):
    """The disk has too little room for the data of the local runtime."""


class NoNetwork(EmbeddedError):
    """A download failed."""


class FolderInUse(EmbeddedError):
    """Another running process owns the data folder."""


class StartFailed(EmbeddedError):
    """A server ended, or did not answer in time, while it was being started."""
