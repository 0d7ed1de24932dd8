from odoo import api, models

from ..tools import register


class ChannelRegister(models.AbstractModel):
    """Looks numbers up in registers of authorities.

    A provider is a method ``_provider_<key>(self, lists, asks)`` of this model: an add-on that can ask an authority's
    own service registers one by writing it, and a ``channel.register.list`` names the provider that answers for it.

    ``lists`` are the lists (``channel.register.list``) that have this provider; ``asks`` is a list of
    ``{"type_id": int or False, "number": str}``: the number of a document of a ``channel.qualification.type``, or
    without a type the identification number of a company; ``number`` is in the spelling of :meth:`_key`. It returns
    a list as long as ``asks``, in the same order: ``None`` where none of the lists could hold such a number, else
    ``{"found": bool, "facts": dict, "list_id": int, "complete": bool, "scope_text": str or False}``. Facts are
    the fields of :meth:`_fact_labels`; those that the register does not tell are left out or False. ``complete``:
    the list holds every number of its kind, so that a missing one does not exist.
    """

    _name = "channel.register"
    _description = "Look-Up in Registers of Authorities"

    #=== REGISTRY ===#

    @api.model
    def _selection_provider(self):
        """Every method ``_provider_<key>`` is a provider."""
        prefix = "_provider_"
        keys = sorted(name.removeprefix(prefix) for name in dir(type(self)) if name.startswith(prefix))
        return [(key, key) for key in keys]

    @api.model
    def _fact_labels(self):
        """``{fact: label}`` of what a register may tell about a number, in the order of a report."""
        return {
            "name": self.env._("Name"),
            "holder_name": self.env._("Holder"),
            "holder_code": self.env._("Holder's identification number"),
            "date_from": self.env._("Valid from"),
            "date_to": self.env._("Valid to"),
            "device_class": self.env._("Device class"),
            "status": self.env._("Status"),
        }

    #=== BUSINESS METHODS ===#

    @api.model
    def _lookup(self, asks):
        """Ask every provider, a fixed number of queries for any number of questions.

        :param asks: list of ``{"type_id": int or False, "number": str}``, see :class:`ChannelRegister`
        :return: list in the same order: the answer that found the number, else one of a complete list, else one that
            did not find it, else None when no list is kept for such numbers. ``provider`` is added to each answer.
        """
        answers = [None] * len(asks)
        keyed = [{**ask, "number": self._key(ask["number"])} for ask in asks]
        # sudo: what an authority publishes is no secret; who may ask is checked by the callers.
        # pylint: disable-next=no-search-all  # a handful of lists
        lists = self.env["channel.register.list"].sudo().search([])
        for provider, of_provider in lists.grouped("provider").items():
            found = getattr(self, f"_provider_{provider}")(of_provider, keyed)
            for index, answer in enumerate(found):
                if answer and self._rank(answer) > self._rank(answers[index]):
                    answers[index] = {**answer, "provider": provider}
        return answers

    @api.model
    def _rank(self, answer):
        return 0 if not answer else 3 if answer["found"] else 2 if answer["complete"] else 1

    @api.model
    def _key(self, number):
        """A number as registers are searched by: without blanks, half width, capital letters, without brackets."""
        return register.key(number)

    #=== PROVIDERS ===#

    @api.model
    def _provider_list(self, lists, asks):
        """Looks into official lists that were imported as files (``channel.register.entry``)."""
        return self.env["channel.register.entry"]._answers(lists, asks)
