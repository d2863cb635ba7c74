"""What was asked of the rulebooks and is not there. Apart from what reads them, so that naming the errors loads nothing."""


class NoSuchRulebook(FileNotFoundError):
    """There is no rulebook of that version."""


class NothingToCheck(FileNotFoundError):
    """What was given is neither a folder of rulebooks nor a rulebook, nor holds a scenario."""
