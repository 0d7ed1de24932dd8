from odoo import api, models


class ChannelSignatureProvider(models.AbstractModel):
    """Who collects the signatures: this portal, or a service of somebody else.

    A provider is a key in :meth:`_providers` and methods named after it, so that an add-on brings one by extending
    this model. ``request`` is a ``channel.contract.signature.request`` with superuser rights: its frozen file
    (``document_id``, ``document_sha256``), its ``deadline``, and ``signatory_ids`` in their order.

    ``_prepare_<key>(request)``
        Before anything is sent: raise ``UserError`` when the service is not configured or lacks something.
    ``_send_<key>(request)``
        Hand the file and the signatories over. Set ``request._set_reference(reference)`` and each
        ``signatory._set_reference(reference)`` to find them again, and call ``signatories._ask()`` for those who are
        asked now (``notify=False`` where the service writes the mails).
    ``_cancel_<key>(request)``
        The request is not valid any more: tell the service. Must not raise because it is out of reach.
    ``_poll_<key>(requests)``
        Ask for news, from time to time. Returns a list of :class:`~..tools.signature.SignatureEvent`.
    ``_callback_<key>(body, headers)``
        A message that somebody sent to ``/channel/contract/signature/<key>``: ``body`` are bytes. Must find out that
        the service sent it (its signature over the body), and raise ``AccessError`` else. Returns events as above.
    ``_finish_<key>(request)``
        Everybody has signed. Returns the sealed file as a :class:`~..tools.pdf_seal.Seal`; raises when it is not to
        be had yet, then the nightly job tries again.
    """

    _name = "channel.signature.provider"
    _description = "Provider of Electronic Signatures"

    @api.model
    def _providers(self):
        """:return: ``{key: label}``"""
        return {"portal": self.env._("Portal")}

    @api.model
    def _do(self, step, key, *args):
        """Run one step of a provider."""
        return getattr(self, f"_{step}_{key}")(*args)

    # === THE OWN PORTAL ===#

    @api.model
    def _prepare_portal(self, request):
        request.company_id._channel_seal_check()

    @api.model
    def _send_portal(self, request):
        request._next_signatories()._ask()

    @api.model
    def _cancel_portal(self, request):
        """Nothing is outside: the links are void by the state of the request."""

    @api.model
    def _poll_portal(self, requests):
        return []

    @api.model
    def _callback_portal(self, body, headers):
        return []

    @api.model
    def _finish_portal(self, request):
        return request.company_id._channel_seal(
            request._sealable_pdf(),
            reason=self.env._(
                "Signed by all: %(contract)s, version %(version)s",
                contract=request.contract_id.name,
                version=request.version_id.number,
            ),
        )
