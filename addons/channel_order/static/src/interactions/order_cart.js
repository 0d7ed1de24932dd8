import { Interaction } from "@web/public/interaction";
import { rpc } from "@web/core/network/rpc";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

const WAIT = 400;

/**
 * The cart of a dealer: what is typed is kept on the server at once, and what comes back says price, stock, credit and
 * what the gate would refuse. Answers that a later question has overtaken are dropped.
 */
export class ChannelOrderCart extends Interaction {
    static selector = ".o_channel_cart";
    // On the root: lines and products are replaced while the page is open
    dynamicContent = {
        _root: {
            "t-on-input": this.onInput,
            "t-on-change": this.onChange,
            "t-on-click": this.onClick,
            "t-on-keydown": this.onKeydown,
        },
        ".o_channel_quick": { "t-on-submit.prevent": this.onQuick },
        ".o_channel_order_form": { "t-on-submit": this.onSubmit },
    };

    setup() {
        this.url = this.el.dataset.url;
        this.asked = 0;
        this.searched = 0;
        this.pending = null;
        this.saveSoon = this.debounced(() => this.save(), WAIT);
        this.searchSoon = this.debounced(() => this.search(0), WAIT);
    }

    // What happens on the page

    onInput(ev) {
        if (ev.target.matches(".o_channel_search")) {
            this.searchSoon();
        } else if (ev.target.matches(".o_channel_quantity, .o_channel_header")) {
            this.saveSoon();
        }
    }

    onChange(ev) {
        if (ev.target.matches(".o_channel_uom, .o_channel_quantity")) {
            this.saveSoon();
        }
    }

    onKeydown(ev) {
        // Enter in a quantity says "this many", not "submit the order"
        if (ev.key === "Enter" && ev.target.matches(".o_channel_order_form input")) {
            ev.preventDefault();
            ev.target.blur();
        }
    }

    onClick(ev) {
        const button = ev.target.closest("button");
        if (!button) {
            return;
        }
        const line = button.closest(".o_channel_line");
        const input = line && line.querySelector(".o_channel_quantity");
        if (button.matches(".o_channel_add")) {
            this.add({
                product_id: Number(button.dataset.product),
                uom_id: Number(button.dataset.uom),
                quantity: 1,
            }, button);
        } else if (button.matches(".o_channel_more")) {
            this.search(Number(button.dataset.offset), button);
        } else if (button.matches(".o_channel_less, .o_channel_plus")) {
            const step = Number(button.dataset.step) * (button.matches(".o_channel_plus") ? 1 : -1);
            input.value = Math.max(0, Math.round((Number(input.value || 0) + step) * 1e6) / 1e6);
            this.saveSoon();
        } else if (button.matches(".o_channel_remove")) {
            input.value = 0;
            this.save();
        }
    }

    async onQuick() {
        const input = this.el.querySelector(".o_channel_quick input[name=text]");
        const text = input.value.trim();
        if (!text) {
            return;
        }
        const answer = await this.add({ text });
        if (answer && answer.added) {
            input.value = "";
        }
        input.focus();
    }

    onSubmit() {
        // The form carries all that was typed; nothing is to be kept after it
        this.saveSoon.cancel();
        for (const button of this.el.querySelectorAll(".o_channel_submit")) {
            this.waitForTimeout(() => {
                button.disabled = true;
            }, 0);
        }
    }

    // What the server is asked

    lines() {
        return [...this.el.querySelectorAll(".o_channel_line")].map((line) => {
            const uom = line.querySelector(".o_channel_uom");
            return {
                id: Number(line.dataset.line),
                quantity: line.querySelector(".o_channel_quantity").value,
                uom_id: uom ? Number(uom.value) : false,
            };
        });
    }

    header() {
        return Object.fromEntries(
            [...this.el.querySelectorAll(".o_channel_header")].map((input) => [input.name, input.value])
        );
    }

    async save() {
        this.saveSoon.cancel();
        const typing = this.el.querySelector(".o_channel_lines").contains(document.activeElement);
        return this.ask("cart", { lines: this.lines(), header: this.header(), typing });
    }

    async add(params, button) {
        if (button) {
            button.disabled = true;
        }
        // What is being typed goes first, so that adding does not overtake it
        await this.save();
        const answer = await this.ask("add", params);
        const told = this.el.querySelector(".o_channel_quick_answer");
        if (answer && params.text) {
            told.className = `mt-2 o_channel_quick_answer small ${answer.problems.length ? "text-danger" : "text-success"}`;
            told.textContent = answer.problems.join(" ") || _t("Added: %s", params.text);
        }
        if (button) {
            button.disabled = false;
            if (answer && answer.added) {
                button.classList.replace("btn-outline-primary", "btn-success");
                this.waitForTimeout(() => button.classList.replace("btn-success", "btn-outline-primary"), 1200);
            }
        }
        return answer;
    }

    async search(offset, button) {
        const number = ++this.searched;
        const search = this.el.querySelector(".o_channel_search").value;
        const answer = await this.waitFor(rpc(`${this.url}/catalogue`, { search, offset }, { silent: true }));
        if (number !== this.searched) {
            return;
        }
        const products = this.el.querySelector(".o_channel_products");
        if (offset && button) {
            button.insertAdjacentHTML("afterend", answer.html);
            button.remove();
        } else {
            products.innerHTML = answer.html;
            products.scrollTop = 0;
        }
    }

    /** One question after the other: the order in which they are asked is the order in which they are kept. */
    async ask(route, params) {
        const number = ++this.asked;
        const before = this.pending;
        this.pending = (async () => {
            await before;
            try {
                return await rpc(`${this.url}/${route}`, params, { silent: true });
            } catch {
                return { failed: true };
            }
        })();
        const answer = await this.waitFor(this.pending);
        if (answer.gone) {
            window.location = this.url;
            return null;
        }
        if (number === this.asked) {
            this.show(answer, route === "add" && "text" in params);
        }
        return answer.failed ? null : answer;
    }

    show(answer, toldElsewhere) {
        const problem = this.el.querySelector(".o_channel_typing_problem");
        const text = answer.failed
            ? _t("There is no connection: what you typed last is not kept yet. Change it again when there is one.")
            : toldElsewhere ? "" : answer.problems.join(" ");
        problem.textContent = text;
        problem.classList.toggle("d-none", !text);
        if (answer.failed) {
            return;
        }
        if (answer.infos) {
            // The fields that somebody types in stay as they are
            for (const line of this.el.querySelectorAll(".o_channel_line")) {
                line.querySelector(".o_channel_line_info").innerHTML = answer.infos[line.dataset.line] || "";
            }
        } else {
            this.el.querySelector(".o_channel_lines").innerHTML = answer.lines;
        }
        this.el.querySelector(".o_channel_summary").innerHTML = answer.summary;
        for (const total of this.el.querySelectorAll(".o_channel_total")) {
            total.innerHTML = answer.total;
        }
        this.el.querySelector(".o_channel_seen").value = answer.seen;
    }
}

registry.category("public.interactions").add("channel_order.cart", ChannelOrderCart);
