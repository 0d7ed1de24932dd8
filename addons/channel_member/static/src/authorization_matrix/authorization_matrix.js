import { Component, onWillStart, useState } from "@odoo/owl";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { deserializeDate, formatDate, serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { usePager } from "@web/search/pager_hook";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { AuthorizationCellDialog } from "./authorization_cell_dialog";

const LIMIT = 40;

/** What a state of a cell looks like; the words are for everybody, colour and icon only help to find it. */
export const CELL_STATES = {
    authorized: { icon: "fa-check", label: _t("Authorized") },
    exclusive: { icon: "fa-star", label: _t("Exclusive") },
    expiring: { icon: "fa-clock-o", label: _t("Expiring") },
    conflict: { icon: "fa-exclamation-triangle", label: _t("Conflict") },
    draft: { icon: "fa-pencil", label: _t("Waiting for approval") },
    gap: { icon: "fa-circle-o", label: _t("Nobody is authorized") },
};

/**
 * Members, or product categories, by regions: who may sell what where. The numbers come from
 * `channel.authorization.matrix`, which reads with the rights of the user; a click on a cell shows its hospitals, who
 * serves them, and the letters of authorization.
 */
export class AuthorizationMatrix extends Component {
    static template = "channel_member.AuthorizationMatrix";
    static components = { DateTimeInput, Dropdown, DropdownItem, Layout, RecordSelector };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.keepLast = new KeepLast();
        this.cellStates = CELL_STATES;
        this.state = useState({
            axis: "member",
            date: false,
            search: "",
            gradeId: false,
            productCategId: false,
            allRegions: false,
            includeDrafts: false,
            expanded: [],
            offset: 0,
            limit: LIMIT,
            cards: this.env.isSmall,
            ...this.props.state?.matrix,
            data: null,
        });
        this.onSearchDebounced = useDebounced((value) => this.update({ search: value }), 300);
        useSetupAction({
            getLocalState: () => {
                const { data, ...matrix } = this.state;
                return { matrix };
            },
        });
        usePager(() => ({
            offset: this.state.offset,
            limit: this.state.limit,
            total: this.state.data?.total || 0,
            onUpdate: ({ offset, limit }) => this.load({ offset, limit }),
        }));
        onWillStart(() => this.load());
    }

    //--------------------------------------------------------------------------
    // Data
    //--------------------------------------------------------------------------

    /** Arguments that matrix and cell have in common. */
    get filters() {
        const { date, gradeId, productCategId, includeDrafts } = this.state;
        return {
            date: date || false,
            grade_id: gradeId,
            product_categ_id: productCategId,
            include_drafts: includeDrafts,
        };
    }

    async load(changes = {}) {
        Object.assign(this.state, changes);
        const { axis, expanded, allRegions, search, offset, limit } = this.state;
        this.state.data = await this.keepLast.add(
            this.orm.call("channel.authorization.matrix", "read_matrix", [], {
                axis,
                expanded_region_ids: expanded,
                all_regions: allRegions,
                search: search || false,
                offset,
                limit,
                ...this.filters,
            })
        );
    }

    /** Change what is asked for: from the first row on. */
    update(changes) {
        return this.load({ ...changes, offset: 0 });
    }

    //--------------------------------------------------------------------------
    // Handlers
    //--------------------------------------------------------------------------

    onAxis(axis) {
        if (axis !== this.state.axis) {
            this.update({ axis, search: "" });
        }
    }

    onDate(date) {
        this.update({ date: date ? serializeDate(date) : false });
    }

    onSearch(ev) {
        this.onSearchDebounced(ev.target.value.trim());
    }

    onToggleColumn(column) {
        const expanded = this.state.expanded.filter((id) => id !== column.id);
        if (!column.expanded) {
            expanded.push(column.id);
        }
        this.load({ expanded });
    }

    onCell(row, column) {
        this.dialog.add(AuthorizationCellDialog, {
            axis: this.state.axis,
            row,
            column,
            filters: this.filters,
        });
    }

    //--------------------------------------------------------------------------
    // Getters of the template
    //--------------------------------------------------------------------------

    get display() {
        return { controlPanel: {} };
    }

    get legend() {
        return Object.entries(CELL_STATES)
            .filter(([state]) => state !== "gap" || this.state.axis === "product")
            .map(([state, look]) => ({ state, ...look }));
    }

    get dateValue() {
        return deserializeDate(this.state.date || this.state.data.date);
    }

    getCell(row, column) {
        return this.state.data.cells[row.id]?.[column.id];
    }

    /** Cells of one row that say something, for the cards. */
    cellsOf(row) {
        return this.state.data.columns
            .map((column) => ({ column, cell: this.getCell(row, column) }))
            .filter(({ cell }) => cell);
    }

    /** All that a cell says, in words. */
    describe(row, column, cell) {
        const words = [cell ? CELL_STATES[cell.state].label : _t("Not authorized")];
        if (cell && cell.state !== "gap") {
            if (cell.exclusive && cell.state !== "exclusive") {
                words.push(CELL_STATES.exclusive.label);
            }
            if (cell.expiring && cell.state !== "expiring") {
                words.push(CELL_STATES.expiring.label);
            }
            if (!cell.whole) {
                words.push(_t("a part only"));
            }
            if (cell.date_to) {
                words.push(_t("until %s", formatDate(deserializeDate(cell.date_to))));
            }
            if (this.state.axis === "product") {
                words.push(_t("%s members", cell.members));
            }
        }
        return `${row.name}, ${column.complete_name}: ${words.join(", ")}`;
    }
}

registry.category("actions").add("channel_member.authorization_matrix", AuthorizationMatrix);
