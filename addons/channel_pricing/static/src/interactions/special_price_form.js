import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

/** Adds rows for products without a round trip, which would lose the chosen files; without JavaScript the server does. */
export class ChannelSpecialPriceForm extends Interaction {
    static selector = ".o_channel_special_price_form";
    dynamicContent = {
        ".o_channel_more": { "t-on-click.prevent": this.onMore },
    };

    onMore() {
        const rows = this.el.querySelectorAll(".o_channel_row");
        const last = rows[rows.length - 1];
        const number = Number(last.dataset.row) + 1;
        const row = last.cloneNode(true);
        row.dataset.row = number;
        for (const label of row.querySelectorAll("label")) {
            label.htmlFor = label.htmlFor.replace(/\d+$/, number);
        }
        for (const input of row.querySelectorAll("input")) {
            input.id = input.name = input.name.replace(/\d+$/, number);
            input.required = false;
            input.setAttribute("value", "");
            input.value = "";
        }
        this.insert(row, last, "afterend");
        row.querySelector("input").focus();
    }
}

registry.category("public.interactions").add("channel_pricing.special_price_form", ChannelSpecialPriceForm);
