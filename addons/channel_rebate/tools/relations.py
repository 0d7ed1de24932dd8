"""Named relations of one calculation: the same SQL, kept as temporary tables or as parts of one statement."""

from contextlib import contextmanager

from odoo.tools import SQL

#: What relations are joined by.
JOINED = (
    "program_id", "version_id", "pool_id", "member_id", "buyer_id", "customer_id", "company_id", "product_id", "market",
    "window_start", "unit_id", "date", "source_id", "entry_id", "id", "kind",
)  # fmt: skip


class TemporaryTables:
    """Each relation is computed once, into a temporary table whose size the planner knows: for calculations that
    write.
    """

    def __init__(self, cr):
        self._cr = cr
        self._names = []

    def add(self, name, select, key=None):
        """Compute a relation. -> its name, to read from.

        :param key: names of columns by which it is looked up, for an index
        """
        table = SQL.identifier(f"_rebate_{name}")
        self.drop(name)
        self._cr.execute(SQL("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s", table, select))
        if key:
            self._cr.execute(SQL("CREATE INDEX ON %s (%s)", table, SQL(", ").join(SQL.identifier(k) for k in key)))
        self._analyze(table)
        self._names.append(name)
        return table

    def _analyze(self, table):
        """Let the planner know what the relation is joined by; the other columns, many and wide, are only read."""
        self._cr.execute(
            SQL(
                """SELECT attname FROM pg_attribute
                    WHERE attrelid = %s::regclass AND attnum > 0 AND attname = ANY(%s)""",
                table.code,
                list(JOINED),
            )
        )
        names = [SQL.identifier(name) for (name,) in self._cr.fetchall()]
        self._cr.execute(SQL("ANALYZE %s (%s)", table, SQL(", ").join(names)) if names else SQL("ANALYZE %s", table))

    def drop(self, name):
        self._cr.execute(SQL("DROP TABLE IF EXISTS %s", SQL.identifier("pg_temp", f"_rebate_{name}")))

    def close(self):
        for name in self._names:
            self.drop(name)
        self._names = []


class CommonTables:
    """Relations become the WITH of one statement: for calculations that only read, also on a read-only database."""

    def __init__(self):
        self._parts = []

    def add(self, name, select, key=None):
        table = SQL.identifier(f"_rebate_{name}")
        self._parts.append(SQL("%s AS MATERIALIZED (%s)", table, select))
        return table

    def query(self, select):
        """The whole statement that ends in `select`."""
        return SQL("WITH %s %s", SQL(", ").join(self._parts), select)


@contextmanager
def room_to_work(cr, memory="128MB"):
    """Let PostgreSQL sort and hash in memory, for the statements inside. Settings end with the transaction anyhow.

    A run that looks at what changed finds a few rows among millions: at the price of a spinning disk, which is the
    default, the planner would rather read all of them. A sample of each working table is enough to know its size.
    """
    names = {"work_mem": memory, "jit": "off", "random_page_cost": "1.1", "default_statistics_target": "20"}
    cr.execute(SQL("SELECT %s", SQL(", ").join(SQL("current_setting(%s)", name) for name in names)))
    before = dict(zip(names, cr.fetchone(), strict=True))
    for name, value in names.items():
        cr.execute(SQL("SELECT set_config(%s, %s, true)", name, value))
    yield
    for name, value in before.items():
        cr.execute(SQL("SELECT set_config(%s, %s, true)", name, value))
