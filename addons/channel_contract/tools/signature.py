"""Words that the files about signatures share."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from odoo.addons.channel_base.tools.private_key import PrivateKey

#: Opens what signing itself writes to the code of this add-on.
SIGNER = PrivateKey("channel_contract_signer")

#: What the tokens of links and sealed files look like; nothing else is looked up.
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

#: States in which an approved version counts: nobody's signature is asked, or everybody has signed.
STANDING = ("none", "signed")

#: States of a request in which it may still lead to a sealed file; there is one such request per version.
LIVE = ("open", "signed")

#: How long a code mailed to a signatory holds, how often it may be typed, and how long it opens the pages.
CODE_MINUTES = 10
CODE_TRIES = 5
SESSION_MINUTES = 30


@dataclass
class SignatureEvent:
    """What a provider tells about one signatory.

    ``kind``: ``signed`` or ``declined``. ``values``: fields of ``channel.contract.signature`` that the provider
    vouches for (``typed_name``, ``signature``, ``ip_address``, ``user_agent``, ``consent_text``, ``detail``, ...), or
    the ``reason`` of a refusal.
    """

    request_reference: str
    signatory_reference: str
    kind: str
    at: datetime | None = None
    values: dict = field(default_factory=dict)
