"""What the embedded broker and the embedded database have in common: one program on one data folder."""

from __future__ import annotations

from handrail.embedded.process import Child


class EmbeddedServer:
    """A server that we start and stop.

    Attributes:
        child: Its program, running or ended; None before the first start and after a stop.
    """

    child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return self.child.pid if self.child and self.child.running else None

    def stop(self) -> None:
        """Stop in good order. Twice does no harm."""
        if self.child:
            self.child.stop()
            self.child = None
