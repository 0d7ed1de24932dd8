import logging
import time
from importlib import import_module

from odoo import api, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

CHAPTERS = (
    "company",
    "users",
    "products",
    "hospitals",
    "members",
    "prices",
    "contracts",
    "programs",
    "stock",
    "trade",
    "price_control",
    "agreements",
    "abroad",
    "incidents",
    "settlement",
    "rebate_talks",
    "registers",
    "authorizations",
    "tiers",
    "admissions",
    "closing",
)


class ChannelDemoStory(models.AbstractModel):
    """Tells the demonstration story into a database, chapter by chapter, when the add-on is installed.

    The chapters live in ``channel_demo/story``, one module each with ``run(env)``. They use the
    same public methods and wizards as people do, in the name of the people whose work it is, so
    that telling the story proves them.
    """

    _name = "channel.demo.story"
    _description = "Channel Demonstration Story"

    @api.model
    def _build(self, chapters=CHAPTERS):
        """Tell the chapters in their order, all in the caller's transaction.

        :param chapters: names of the chapters, for who wants to stop early
        """
        # Nobody follows the documents of a story: no mails, no tracking of what never was.
        env = self.env(
            context={
                **self.env.context,
                "lang": "en_US",
                "tracking_disable": True,
                "mail_create_nosubscribe": True,
                "allowed_company_ids": [self.env.ref("base.main_company").id],
            }
        )
        import_module("odoo.addons.channel_demo.story.calendar").begin()
        for number, name in enumerate(chapters, start=1):
            start = time.monotonic()
            import_module(f"odoo.addons.channel_demo.story.{name}").run(env)
            env.flush_all()
            # All of it is one transaction, so nothing else tells the planner how much there is by now:
            # without this the set-based calculations run on plans made for empty tables.
            # Table by table: a bare ANALYZE holds catalogues that all databases of the server share.
            env.cr.execute(SQL("ANALYZE %s", SQL(", ").join(map(SQL.identifier, self._tables()))))
            _logger.info(
                "story %s/%s %s: %.1f s", number, len(chapters), name, time.monotonic() - start
            )

    def _tables(self):
        """Names of the tables of this database."""
        self.env.cr.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
        return [name for [name] in self.env.cr.fetchall()]
