"""A key that opens an internal door and cannot come from outside the process."""


class PrivateKey:
    """A token that lower layers look for in the context.

    It is compared by identity, so nothing that arrives as JSON or XML (RPC, import, a web client's
    context) can ever equal it: not its name, not a true value, not another instance.

    Every key has a context entry of its own and is taken out of the context again by the
    method that it opened, so that it does not travel on into other documents' methods.
    """

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<PrivateKey {self.name}>"

    def open(self, records):
        """Return ``records`` with the key in their context."""
        return records.with_context(**{self.name: self})

    def opens(self, records):
        """Whether the context of ``records`` really holds this key."""
        return records.env.context.get(self.name) is self

    def close(self, records):
        """Return ``records`` without the key, and without anything that claims to be it."""
        if self.name not in records.env.context:
            return records
        context = dict(records.env.context)
        context.pop(self.name)
        # the whole context: keywords could not take a key out
        return records.with_context(context)  # pylint: disable=context-overridden
