import logging
import time
from importlib import import_module

from odoo import api, models

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
    "incidents",
    "settlement",
)
PARAMETER = "channel_demo.chapters_told"


class ChannelDemoStory(models.AbstractModel):
    """Tells the demonstration story into an empty database, chapter by chapter.

    The chapters live in ``channel_demo/story``, one module each with ``run(env)``. They use the
    same public methods and wizards as people do, so that building the story proves them.
    """

    _name = "channel.demo.story"
    _description = "Channel Demonstration Story"

    @api.model
    def _build(self, report=None):
        """Tell the chapters that were not told yet.

        Each chapter is committed whole with its mark, so an interrupted build goes on where it
        stopped and a finished one returns at once. Run it from a shell on a loaded registry: the
        chart of accounts of the company cannot be loaded while add-ons are being installed.

        :param report: called with one line of text for each chapter, for progress
        :returns: names of the chapters told by this call
        """
        parameters = self.env["ir.config_parameter"].sudo()
        told = (parameters.get_param(PARAMETER) or "").split(",")
        new = []
        for number, name in enumerate(CHAPTERS, start=1):
            if name in told:
                continue
            start = time.monotonic()
            chapter = import_module(f"odoo.addons.channel_demo.story.{name}")
            env = self.env(context={**self.env.context, "tracking_disable": True, "lang": "en_US"})
            chapter.run(env)
            new.append(name)
            parameters.set_param(PARAMETER, ",".join(filter(None, [*told, *new])))
            # A chapter and its mark land together; nothing outside a shell calls this method.
            self.env.cr.commit()  # pylint: disable=invalid-commit
            self.env.invalidate_all()
            line = f"story {number}/{len(CHAPTERS)} {name}: {time.monotonic() - start:.1f} s"
            _logger.info(line)
            if report:
                report(line)
        return new
