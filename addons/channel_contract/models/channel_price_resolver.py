from odoo import api, models
from odoo.tools import SQL


class ChannelPriceResolver(models.AbstractModel):
    _inherit = "channel.price.resolver"

    @api.model
    def _periods_sql(self, question):
        """Rules of a contract hold on the days of their version of it; of a draft, on those that are planned."""
        return [
            *super()._periods_sql(question),
            SQL(
                """
                COALESCE(
                    (SELECT tsrange(agreed.valid_from::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC',
                                    (agreed.valid_to + 1)::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC')
                       FROM channel_contract_version agreed
                      WHERE agreed.id = product_pricelist_item.channel_contract_version_id
                        AND agreed.state IN ('draft', 'approved')),
                    CASE WHEN product_pricelist_item.channel_contract_version_id IS NULL
                         THEN '(,)'::tsrange ELSE 'empty'::tsrange END)
                """,
                zone=question.company._channel_zone(),
            ),
        ]
