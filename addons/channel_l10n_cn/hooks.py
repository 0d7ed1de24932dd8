def uninstall_hook(env):
    """Take the quotations of Chinese law back from the gate checks, which belong to other add-ons."""
    env["channel.gate.check"]._l10n_cn_forget_laws()
