"""What the nightly jobs would do, without their commits: the story is one transaction."""


def run(env):
    env["channel.qualification"]._cron_alert_expiry()
    # Alerts and applications are for who looks around; nobody is written to by a demonstration.
    env["mail.mail"].search([("create_date", ">=", env.cr.now()), ("state", "=", "outgoing")]).unlink()
    env["channel.audit.entry"]._seal(limit=10000)
