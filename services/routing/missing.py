"""What can be wrong with what was asked of the rulebooks. Apart from what reads them, so that naming the errors loads nothing."""


class NoSuchRulebook(FileNotFoundError):
    """There is no rulebook of that version."""


class NothingToCheck(FileNotFoundError):
    """What was given is neither a folder of rulebooks nor a rulebook, nor holds a scenario."""


class NotReleased(RuntimeError):
    """A version of the rulebook cannot be released; the text says why and what to do."""


class NotVerified(RuntimeError):
    """It cannot be recorded that a person verified a rule; the text says why and what to do."""
