from odoo import api, models
from odoo.exceptions import ValidationError

from ..tools import udi


class ChannelUdi(models.AbstractModel):
    """Reads device identifiers for receipts, claims, usage sheets and partners' systems."""

    _name = "channel.udi"
    _description = "Unique Device Identification"

    @api.model
    @api.readonly
    def parse(self, text):
        """Read a UDI carrier: GS1 (element strings, text beside the code, Digital Link), HIBC, MA.

        :param str text: what a scanner sent; separators (FNC1) as ``\\x1d``, or shown as ``<GS>``
        :return: ``{"agency": "GS1" | "HIBC" | "MA" | None, "di", "lot", "serial", "made", "expiry", "warnings"}``; days
            are ISO dates, what is not there is None; a warning is ``{"code", "message"}`` with ``unknown`` (no carrier
            that is known), ``check`` (check digit or character), ``fnc1`` (a value may have swallowed the next one,
            because the separator was lost), ``date`` (no date), ``rest`` (what could not be read), ``no_di``
        :raises ValidationError: `text` is no text, or empty
        """
        if not isinstance(text, str) or not text.strip():
            raise ValidationError(self.env._("text: expected what a scanner sent, got %r.", text))
        found = udi.parse(text)
        return {
            "agency": found.agency,
            "di": found.di,
            "lot": found.lot,
            "serial": found.serial,
            "made": found.made.isoformat() if found.made else None,
            "expiry": found.expiry.isoformat() if found.expiry else None,
            "warnings": [
                {"code": code, "message": self._warning_words()[code] % {"about": about}}
                for code, about in found.warnings
            ],
        }

    def _warning_words(self):
        return {
            "unknown": self.env._("“%(about)s” is no GS1, HIBC or MA code: type in what stands on the label."),
            "check": self.env._("“%(about)s” has a wrong check digit: scan it again, or compare it with the label."),
            "fnc1": self.env._(
                "“%(about)s” may hold more than one value: the scanner drops the separator (FNC1). Compare it with the "
                "label, and set the scanner to send it."
            ),
            "date": self.env._("“%(about)s” is no date: compare it with the label."),
            "rest": self.env._("“%(about)s” could not be read: compare the code with the label."),
            "no_di": self.env._("The code names no device: scan the other code of the label too."),
        }
