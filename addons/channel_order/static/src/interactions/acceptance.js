import { Interaction } from "@web/public/interaction";
import { rpc } from "@web/core/network/rpc";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** What a scan found, in words. */
const FOUND = {
    found: () => _t("Found: the lot on the label is the one delivered."),
    wrong_lot: () => _t("The product was delivered, but with another lot."),
    unknown: () => _t("This product is not in the delivery."),
    expired: () => _t("Found, but expired."),
};

/**
 * Acceptance on a phone: a scanner or the camera's keyboard types a code into the field, Enter finds its line, opens it
 * and notes the lot that was read.
 */
export class ChannelAcceptance extends Interaction {
    static selector = ".o_channel_acceptance";
    dynamicContent = {
        ".o_channel_scan": { "t-on-keydown": this.onKeydown },
        ".o_channel_scan_button": { "t-on-click": this.scan },
    };

    onKeydown(ev) {
        if (ev.key === "Enter") {
            // It ends the code, it does not sign the sheet
            ev.preventDefault();
            this.scan();
        }
    }

    async scan() {
        const field = this.el.querySelector(".o_channel_scan");
        if (!field.value.trim()) {
            return;
        }
        const found = await this.waitFor(rpc(this.el.dataset.scan, { text: field.value }));
        const words = this.el.querySelector(".o_channel_scan_found");
        words.textContent = [FOUND[found.code](), ...found.warnings.map((warning) => warning.message)].join(" ");
        words.classList.toggle("text-danger", found.code !== "found");
        words.classList.toggle("text-success", found.code === "found");
        const line = found.line_id && this.el.querySelector(`[data-line="${found.line_id}"]`);
        if (line) {
            line.open = true;
            line.querySelector("[name^=lot_]").value = found.lot || "";
            if (found.code === "wrong_lot") {
                line.querySelector("[name^=reason_]").value = "wrong_lot";
            }
            line.classList.add("border-primary");
            line.scrollIntoView({ block: "center" });
        }
        field.value = "";
        field.focus();
    }
}

registry.category("public.interactions").add("channel_order.acceptance", ChannelAcceptance);
