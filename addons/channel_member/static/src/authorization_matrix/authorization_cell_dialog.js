import { Component, onWillStart, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";

const LIMIT = 40;

/** What stands behind one cell of the matrix: the letters, and the hospitals of the region with who serves them. */
export class AuthorizationCellDialog extends Component {
    static template = "channel_member.AuthorizationCellDialog";
    static components = { Dialog };
    static props = {
        axis: String,
        row: Object,
        column: Object,
        filters: Object,
        close: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ authorizations: [], customers: [], customerTotal: 0 });
        onWillStart(async () => {
            [this.mayCreate] = await Promise.all([
                user.checkAccessRight("channel.authorization", "create"),
                this.load(),
            ]);
        });
    }

    get title() {
        return `${this.props.row.name} · ${this.props.column.complete_name}`;
    }

    async load() {
        const { axis, row, column, filters } = this.props;
        const data = await this.orm.call("channel.authorization.matrix", "read_cell", [], {
            axis,
            row_id: row.id,
            region_id: column.id,
            offset: this.state.customers.length,
            limit: LIMIT,
            ...filters,
        });
        this.state.authorizations = data.authorizations;
        this.state.customers.push(...data.customers);
        this.state.customerTotal = data.customer_total;
    }

    period({ date_from, date_to }) {
        const start = formatDate(deserializeDate(date_from));
        return date_to
            ? _t("%(start)s to %(end)s", { start, end: formatDate(deserializeDate(date_to)) })
            : _t("from %s on", start);
    }

    open(action) {
        this.props.close();
        return this.action.doAction(action);
    }

    onOpenRecord(resModel, resId) {
        return this.open({
            type: "ir.actions.act_window",
            res_model: resModel,
            res_id: resId,
            views: [[false, "form"]],
        });
    }

    async onPrint(authorization) {
        const action = await this.orm.call("channel.authorization", "action_print_letter", [
            [authorization.id],
        ]);
        return this.action.doAction(action);
    }

    onOpenCustomers() {
        return this.open({
            type: "ir.actions.act_window",
            name: _t("Hospitals in %s", this.props.column.name),
            res_model: "res.partner",
            domain: [
                ["channel_role", "=", "hospital"],
                ["channel_region_id", "child_of", this.props.column.id],
            ],
            views: [
                [false, "list"],
                [false, "form"],
            ],
            context: { search_view_ref: "channel_member.channel_member_view_search", list_view_ref: "channel_member.channel_member_view_list" },
        });
    }

    onAuthorize() {
        const { axis, row, column } = this.props;
        return this.open({
            type: "ir.actions.act_window",
            res_model: "channel.authorization",
            views: [[false, "form"]],
            context: {
                default_region_ids: [column.id],
                ...(axis === "member" && { default_partner_id: row.id }),
                ...(axis === "product" && row.id && { default_product_categ_ids: [row.id] }),
            },
        });
    }
}
