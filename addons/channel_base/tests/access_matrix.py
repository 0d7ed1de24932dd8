"""Who may do what, as a table that reads like one."""

LETTERS = {"c": "create", "r": "read", "u": "write", "d": "unlink"}


def parse_matrix(text):
    """Read a table of roles and models.

    The first row names the roles; each further row names a model and has one cell for each role: letters of
    ``crud`` for what is allowed, ``-`` for nothing.

    >>> parse_matrix('''
    ...     model           sales  auditor
    ...     channel.region  r      r
    ...     channel.alert   ru     -
    ... ''')
    {'channel.region': {'sales': 'r', 'auditor': 'r'}, 'channel.alert': {'sales': 'ru', 'auditor': ''}}
    """
    rows = [line.split() for line in text.strip().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    (_head, *roles), *body = rows
    matrix = {}
    for model, *cells in body:
        if len(cells) != len(roles):
            raise ValueError(f"{model}: {len(roles)} cells needed, {len(cells)} found")
        if model in matrix:
            raise ValueError(f"{model}: stands in the table twice")
        for cell in cells:
            if cell != "-" and not set(cell) <= set(LETTERS):
                raise ValueError(f"{model}: {cell} is not made of the letters {''.join(LETTERS)}")
        matrix[model] = {role: "" if cell == "-" else cell for role, cell in zip(roles, cells, strict=True)}
    return matrix


def access_of(env, user, model):
    """:return: letters of ``crud`` that the user's groups give on a model"""
    records = env[model].with_user(user)
    return "".join(letter for letter, operation in LETTERS.items() if records.has_access(operation))


def access_differences(env, users, text):
    """Compare the access rights that users really have with a table.

    :param dict users: ``{role: res.users}``
    :param str text: see :func:`parse_matrix`
    :return: list of sentences, one for each cell that differs; empty when all agree
    """
    differences = []
    for model, cells in parse_matrix(text).items():
        for role, expected in cells.items():
            actual = access_of(env, users[role], model)
            if set(actual) != set(expected):
                differences.append(f"{model}: {role} has {actual or '-'}, the table says {expected or '-'}")
    return differences
