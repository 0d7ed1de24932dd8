import { Component, markup, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/**
 * Everything about one member on one screen. The page is rendered by the server, from the template that also makes the
 * PDF; what stands for a record opens it.
 */
export class MemberPassport extends Component {
    static template = "channel_member.MemberPassport";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.memberId = this.props.action.context.active_id || this.props.action.params?.active_id;
        this.state = useState({ html: "" });
        onWillStart(() => this.load());
    }

    get display() {
        return { controlPanel: {} };
    }

    async load() {
        const passport = await this.orm.call("channel.member.passport", "render_passport", [this.memberId]);
        // Rendered by QWeb on the server, which escapes every value.
        this.state.html = markup(passport.html);
        this.env.config.setDisplayName(_t("Passport of %s", passport.name));
    }

    onClick(ev) {
        const element = ev.target.closest("[data-model][data-id]");
        if (element) {
            ev.preventDefault();
            return this.action.doAction({
                type: "ir.actions.act_window",
                res_model: element.dataset.model,
                res_id: Number(element.dataset.id),
                views: [[false, "form"]],
            });
        }
    }

    async onPrint() {
        return this.action.doAction(
            await this.orm.call("res.partner", "action_channel_passport_print", [[this.memberId]])
        );
    }
}

registry.category("actions").add("channel_member.member_passport", MemberPassport);
