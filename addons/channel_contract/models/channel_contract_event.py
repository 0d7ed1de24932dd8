from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.tools.private_key import PrivateKey

#: Opens the timeline to the code that writes it.
_WRITER = PrivateKey("channel_contract_event_writer")


class ChannelContractEvent(models.Model):
    """One line of a contract's timeline: what happened, from which day it holds, who did it and when."""

    _name = "channel.contract.event"
    _description = "Event of a Contract"
    _order = "id desc"
    _rec_name = "summary"

    contract_id = fields.Many2one("channel.contract", required=True, index=True, readonly=True, ondelete="cascade")
    version_id = fields.Many2one("channel.contract.version", readonly=True, index="btree_not_null", ondelete="cascade")
    region_id = fields.Many2one(related="contract_id.region_id")
    company_id = fields.Many2one(related="contract_id.company_id")
    kind = fields.Selection(
        [
            ("stage", "Stage"),
            ("drafted", "Version Drafted"),
            ("review", "Sent for Review"),
            ("reviewed", "Review Finished"),
            ("requested", "Submitted for Approval"),
            ("returned", "Back to Draft"),
            ("approved", "Approved"),
            ("sent", "Sent out for Signature"),
            ("signature", "Signature"),
            ("taken_back", "Signature Taken Back"),
            ("refused", "Signature Refused"),
            ("overdue", "Not Signed in Time"),
            ("signed", "Signed by All"),
            ("sealed", "Sealed"),
            ("superseded", "Superseded"),
            ("ended", "End Brought Forward"),
            ("cancelled", "Draft Cancelled"),
            ("suspended", "Suspended"),
            ("resumed", "In Force Again"),
            ("terminated", "Terminated"),
            ("notice", "Notice Given"),
            ("renewed", "Renewed"),
        ],
        required=True,
        readonly=True,
    )
    stage = fields.Selection(lambda self: self.env["channel.contract"]._fields["stage"].selection, readonly=True)
    date = fields.Date(string="From", required=True, readonly=True, help="The day from which it holds.")
    user_id = fields.Many2one("res.users", string="By", required=True, readonly=True, ondelete="restrict")
    moment = fields.Datetime(string="Recorded", required=True, readonly=True, default=fields.Datetime.now)
    note = fields.Char(readonly=True)
    summary = fields.Char(compute="_compute_summary")

    @api.depends_context("lang")
    @api.depends("kind", "stage", "version_id")
    def _compute_summary(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        stages = dict(self._fields["stage"]._description_selection(self.env))
        for event in self:
            if event.kind == "stage":
                event.summary = stages.get(event.stage)
            else:
                # sudo: the number of a version of the contract that the reader may read
                number = event.version_id.sudo().number
                event.summary = f"{kinds[event.kind]} (v{number})" if number else kinds[event.kind]

    @api.model
    def _log(self, values_list):
        """Append events.

        :param list values_list: dicts with ``contract_id`` and ``kind``, and optionally ``version_id``, ``stage``,
            ``date`` (today where the contract's company is), ``note``
        """
        # sudo: the timeline is written by what happens, whoever does it; the values are the caller's code
        Event = _WRITER.open(self.sudo())
        contracts = Event.env["channel.contract"].browse([values["contract_id"] for values in values_list])
        Event.create(
            [
                {"date": contract.company_id._channel_today(), **values, "user_id": self.env.uid}
                for contract, values in zip(contracts, values_list, strict=True)
            ]
        )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not _WRITER.opens(self):
            raise UserError(self.env._("The timeline of a contract is written by what happens to it, not by hand."))
        return super(ChannelContractEvent, _WRITER.close(self)).create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The timeline of a contract is not rewritten."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("The timeline of a contract is not rewritten."))
