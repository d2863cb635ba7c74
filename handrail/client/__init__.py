"""Report events to Handrail from a partner system: needs Python alone, and `joserfc` only to encrypt personal data.

    from handrail.client import HandrailClient

    client = HandrailClient("https://handrail.example", token)
    receipt = client.send(event)

Nothing here imports the rest of Handrail, so a partner can install this alone.
"""

from handrail.client.client import HandrailClient, NotAccepted, Receipt, TryAgain
from handrail.client.personal import encrypt_personal

__all__ = ["HandrailClient", "NotAccepted", "Receipt", "TryAgain", "encrypt_personal"]
