from odoo import models


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def _load_module_terms(self, modules, langs, overwrite=False):
        """Chinese names of regions and the Chinese quotations of law come with the language, like all other terms.

        They belong to records that no data file of this add-on declares: loaded regions, other add-ons' checks.
        """
        result = super()._load_module_terms(modules, langs, overwrite=overwrite)
        if "channel_l10n_cn" in modules and "zh_CN" in langs and "channel.region" in self.env:
            self.env["channel.region"]._l10n_cn_translate(overwrite=overwrite)
            self.env["channel.gate.check"]._l10n_cn_quote_laws()
        return result
