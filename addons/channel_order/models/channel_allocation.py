from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import SQL


class ChannelAllocation(models.Model):
    """Who gets how much of what is short: over all open orders of a warehouse, shown first, then reserved.

    The preview is one statement: free stock and what these orders have reserved already is dealt out anew, by the rules
    in their order or in proportion. Applying reserves exactly what the preview shows, by Odoo's own reservation; if
    stock or orders have moved since, it refuses and says what.
    """

    _name = "channel.allocation"
    _description = "Allocation of Stock"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    warehouse_id = fields.Many2one(
        "stock.warehouse", required=True, check_company=True,
        default=lambda self: self.env["stock.warehouse"].search([("company_id", "=", self.env.company.id)], limit=1),
    )
    product_ids = fields.Many2many("product.product", string="Products", help="Empty: all that open orders ask for.")
    method = fields.Selection(
        [("rules", "By the rules, in their order"), ("fair", "In proportion to what is asked for")],
        required=True, default="rules", tracking=True,
    )
    date_to = fields.Date(
        string="Wanted until", help="Only what is to be delivered by this day. Empty: everything that is open."
    )
    line_ids = fields.One2many("channel.allocation.line", "allocation_id", string="Lines", readonly=True)
    state = fields.Selection(
        [("draft", "Draft"), ("preview", "Preview"), ("done", "Reserved"), ("cancelled", "Cancelled")],
        required=True, readonly=True, default="draft", copy=False, tracking=True,
    )
    wanted = fields.Float(compute="_compute_totals", digits="Product Unit")
    allocated = fields.Float(compute="_compute_totals", digits="Product Unit")
    short_count = fields.Integer(string="Lines that Get Less", compute="_compute_totals")
    applied_at = fields.Datetime(string="Reserved on", readonly=True, copy=False)

    @api.depends("line_ids.allocated")
    def _compute_totals(self):
        sums = {
            allocation.id: (wanted, allocated)
            for allocation, wanted, allocated in self.env["channel.allocation.line"]._read_group(
                [("allocation_id", "in", self.ids)], ["allocation_id"], ["wanted:sum", "allocated:sum"]
            )
        }
        short = dict(self.env["channel.allocation.line"]._read_group(
            [("allocation_id", "in", self.ids), ("is_short", "=", True)], ["allocation_id"], ["__count"]
        ))
        for allocation in self:
            allocation.wanted, allocation.allocated = sums.get(allocation.id, (0.0, 0.0))
            allocation.short_count = short.get(allocation, 0)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals["name"] = self.env["ir.sequence"].next_by_code("channel.allocation")
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        for allocation in self:
            if allocation.state == "done":
                raise UserError(self.env._("%s was reserved: it stays.", allocation.name))

    # === ACTIONS === #

    def action_preview(self):
        """Deal out what is there, and show who gets how much and why."""
        for allocation in self:
            allocation._check_open()
            allocation.line_ids.unlink()
            allocation._write_preview()
            allocation.state = "preview"
        return True

    def action_apply(self):
        """Reserve what the preview shows.

        :raise UserError: stock or orders have changed since the preview
        """
        self.ensure_one()
        self._check_open()
        if self.state != "preview":
            raise UserError(self.env._("%s has no preview yet: make it first.", self.name))
        moves = self.line_ids.move_id
        try:
            moves.lock_for_update()
        except LockError as error:
            raise UserError(self.env._("Somebody else is reserving some of these deliveries: try again.")) from error
        self._check_unchanged()
        moves._do_unreserve()
        for quantity, lines in self.line_ids.filtered("allocated").grouped("move_quantity").items():
            lines.move_id._action_assign(force_qty=quantity)
        # Who was given what was asked for by force is not necessarily given all
        moves._recompute_state()
        self._check_reserved()
        self.write({"state": "done", "applied_at": fields.Datetime.now()})
        return True

    def action_cancel(self):
        """Leave everything as it is."""
        self._check_open()
        self.state = "cancelled"
        return True

    def action_view_lines(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_order.channel_allocation_line_action"),
            "domain": [("allocation_id", "=", self.id)],
        }

    # === BUSINESS METHODS === #

    def _check_open(self):
        for allocation in self:
            if allocation.state in ("done", "cancelled"):
                raise UserError(self.env._("%s is over: make a new one.", allocation.name))

    def _write_preview(self):
        """One statement, whatever the number of orders. Whole units of the product where it is dealt out fairly."""
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute(SQL(
            """INSERT INTO channel_allocation_line
                      (allocation_id, company_id, move_id, sale_line_id, product_id, member_id, place, wanted, supply,
                       before, allocated, is_short, create_uid, create_date, write_uid, write_date)
               SELECT %(id)s, %(company)s, d.move_id, d.sale_line_id, d.product_id, d.member_id, d.place, d.wanted,
                      d.supply, d.before, d.allocated, d.allocated < d.wanted, %(uid)s, now() AT TIME ZONE 'UTC',
                      %(uid)s, now() AT TIME ZONE 'UTC'
                 FROM (%(dealt)s) d
                ORDER BY d.product_id, d.place""",
            id=self.id, company=self.company_id.id, uid=self.env.uid, dealt=self._sql_dealt(),
        ))
        self.env["channel.allocation.line"].invalidate_model()
        self.invalidate_recordset()

    def _sql_dealt(self):
        """-> select `(move_id, sale_line_id, product_id, member_id, place, wanted, supply, before, allocated)`"""
        allocated = (
            SQL("LEAST(o.wanted, GREATEST(o.supply - o.before, 0))") if self.method == "rules"
            # whole units in proportion; what is left over goes to the largest remainders
            else SQL(
                """CASE WHEN o.supply >= o.asked THEN o.wanted
                        ELSE LEAST(o.wanted, floor(o.share) + CASE WHEN row_number() OVER (
                            PARTITION BY o.product_id ORDER BY o.share - floor(o.share) DESC, o.place)
                            <= floor(o.supply) - o.whole THEN 1 ELSE 0 END) END"""
            )
        )
        return SQL(
            """WITH demand AS (%(demand)s),
            supply AS (%(supply)s),
            ordered AS (
                SELECT d.*, GREATEST(COALESCE(s.quantity, 0), 0) AS supply,
                       row_number() OVER w AS place, sum(d.wanted) OVER w - d.wanted AS before,
                       sum(d.wanted) OVER (PARTITION BY d.product_id) AS asked
                  FROM demand d
             LEFT JOIN supply s ON s.product_id = d.product_id
                WINDOW w AS (PARTITION BY d.product_id ORDER BY %(order)s ROWS UNBOUNDED PRECEDING)
            ),
            shared AS (
                SELECT o.*, o.wanted * o.supply / NULLIF(o.asked, 0) AS share,
                       sum(floor(o.wanted * o.supply / NULLIF(o.asked, 0))) OVER (PARTITION BY o.product_id) AS whole
                  FROM ordered o
            )
            SELECT o.move_id, o.sale_line_id, o.product_id, o.member_id, o.place, o.wanted, o.supply, o.before,
                   %(allocated)s AS allocated
              FROM shared o""",
            demand=self._sql_demand(), supply=self._sql_supply(), order=self._sql_order(), allocated=allocated,
        )

    def _sql_demand(self):
        """-> select of the open moves of members' orders out of this warehouse, and what the rules ask of them"""
        conditions = [
            SQL("sm.state IN ('confirmed', 'waiting', 'partially_available', 'assigned')"), SQL("NOT sm.picked"),
            SQL("sm.company_id = %s", self.company_id.id), SQL("sm.location_id IN (SELECT id FROM place)"),
            SQL("NOT EXISTS (SELECT FROM stock_move_move_rel rel WHERE rel.move_dest_id = sm.id)"),
            SQL("sm.product_qty > 0"),
        ]
        if self.product_ids:
            conditions.append(SQL("sm.product_id = ANY(%s)", self.product_ids.ids))
        if self.date_to:
            conditions.append(SQL("sm.date < %s", fields.Date.add(self.date_to, days=1)))
        return SQL(
            """WITH place AS (%(place)s)
            SELECT sm.id AS move_id, sm.sale_line_id, sm.product_id, member.id AS member_id,
                   sm.product_qty::numeric AS wanted, COALESCE(grade.sequence, 1000000) AS tier,
                   so.date_order AS ordered, sm.date AS due
              FROM stock_move sm
              JOIN sale_order_line sol ON sol.id = sm.sale_line_id
              JOIN sale_order so ON so.id = sol.order_id
              JOIN res_partner buyer ON buyer.id = so.partner_id
              JOIN res_partner member ON member.id = buyer.commercial_partner_id
              JOIN stock_location dest ON dest.id = sm.location_dest_id AND dest.usage = 'customer'
         LEFT JOIN res_partner_grade grade ON grade.id = member.grade_id
             WHERE %(conditions)s""",
            place=self._sql_place(), conditions=SQL(" AND ").join(conditions),
        )

    def _sql_place(self):
        return SQL(
            """SELECT loc.id FROM stock_location loc
                 JOIN stock_location stock ON stock.id = %s AND loc.parent_path LIKE stock.parent_path || '%%'
                WHERE loc.usage = 'internal'""",
            self.warehouse_id.lot_stock_id.id,
        )

    def _sql_supply(self):
        """-> select `(product_id, quantity)`: free stock and what the demand holds reserved; no expired or held lots"""
        return SQL(
            """WITH place AS (%(place)s)
            SELECT product_id, sum(quantity) AS quantity FROM (
                SELECT q.product_id, (q.quantity - q.reserved_quantity)::numeric AS quantity
                  FROM stock_quant q
                  JOIN place ON place.id = q.location_id
             LEFT JOIN stock_lot lot ON lot.id = q.lot_id
                 WHERE q.owner_id IS NULL
                   AND (lot.expiration_date IS NULL OR lot.expiration_date > now() AT TIME ZONE 'UTC')
                   AND NOT COALESCE(lot.channel_is_held, FALSE)
                 UNION ALL
                SELECT sml.product_id, sml.quantity_product_uom::numeric
                  FROM stock_move_line sml
                  JOIN demand d ON d.move_id = sml.move_id
             LEFT JOIN stock_lot lot ON lot.id = sml.lot_id
                 WHERE (lot.expiration_date IS NULL OR lot.expiration_date > now() AT TIME ZONE 'UTC')
                   AND NOT COALESCE(lot.channel_is_held, FALSE)
            ) part GROUP BY product_id""",
            place=self._sql_place(),
        )

    def _sql_order(self):
        """The rules of the company in their order; the older order comes first where they leave two alike."""
        keys = {
            "tier": SQL("d.tier"), "requested": SQL("d.due::date"), "ordered": SQL("d.ordered"),
            "small": SQL("d.wanted"),
        }
        rules = self.env["channel.allocation.rule"].search([("company_id", "in", (False, self.company_id.id))])
        return SQL(", ").join([*(keys[rule.key] for rule in rules), SQL("d.ordered"), SQL("d.move_id")])

    def _check_unchanged(self):
        """The preview made now says the same, else it is told which product differs."""
        self.env.flush_all()
        changed = self.env.execute_query(SQL(
            """SELECT COALESCE(now.product_id, line.product_id)
                 FROM (%s) now
                 FULL JOIN (SELECT * FROM channel_allocation_line WHERE allocation_id = %s) line
                   ON line.move_id = now.move_id
                WHERE now.allocated IS DISTINCT FROM line.allocated OR now.wanted IS DISTINCT FROM line.wanted
                LIMIT 1""",
            self._sql_dealt(), self.id,
        ))
        if changed:
            product = self.env["product.product"].browse(changed[0][0])
            raise UserError(self.env._(
                "%(product)s: stock or orders have changed since the preview of %(name)s. Make the preview anew.",
                product=product.display_name, name=self.name,
            ))

    def _check_reserved(self):
        """What is reserved is what was shown; else nothing of it stays."""
        for line in self.line_ids:
            reserved = sum(line.move_id.move_line_ids.mapped("quantity_product_uom"))
            if line.product_id.uom_id.compare(reserved, line.allocated):
                raise UserError(self.env._(
                    "%(product)s: %(reserved)s could be reserved for %(order)s, and not %(allocated)s as shown: a lot "
                    "or a package cannot be split so. Nothing was changed.",
                    product=line.product_id.display_name, reserved=reserved, allocated=line.allocated,
                    order=line.sale_line_id.order_id.name,
                ))
