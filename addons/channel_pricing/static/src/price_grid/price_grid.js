import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { formatFloat, roundDecimals } from "@web/core/utils/numbers";
import { parseFloat } from "@web/views/fields/parsers";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { usePager } from "@web/search/pager_hook";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const LIMIT = 80;
/** Decimals that a price keeps. */
const DIGITS = 6;
const ARROWS = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
};

export const SHOWN = {
    all: _t("All products"),
    priced: _t("With a price"),
    unpriced: _t("Without a price"),
    issues: _t("With findings"),
};

/**
 * The fixed prices of a price table, or of one version of it, as a spreadsheet: products and quantities x segments.
 *
 * What is typed, pasted, filled down or raised by per cent waits in `state.edits` until it is saved, in one call that
 * writes all cells or none. The keyboard works as in a spreadsheet; edits stay while pages and filters change.
 */
export class PriceGrid extends Component {
    static template = "channel_pricing.PriceGrid";
    static components = { Layout, RecordSelector };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.keepLast = new KeepLast();
        this.shown = SHOWN;
        this.gridRef = useRef("grid");
        this.inputRef = useRef("input");
        this.undoStack = [];
        this.state = useState({
            search: "",
            categId: false,
            show: "all",
            segmentIds: [],
            offset: 0,
            limit: LIMIT,
            ...this.props.state?.grid,
            data: null,
            // {cell key: {product_id, segment_id, min_qty, price, was, name}}
            edits: {},
            errors: {},
            // Rows that were added for a quantity and have no price yet: [{product_id, min_qty}]
            added: [],
            focus: { row: 0, column: 0 },
            anchor: { row: 0, column: 0 },
            editing: null,
            percent: "",
            saving: false,
        });
        this.onSearchDebounced = useDebounced((value) => this.update({ search: value }), 300);
        useSetupAction({
            getLocalState: () => {
                const { search, categId, show, segmentIds, offset, limit } = this.state;
                return { grid: { search, categId, show, segmentIds, offset, limit } };
            },
            beforeLeave: () => this.confirmLeave(),
            beforeUnload: (ev) => {
                if (this.editCount) {
                    ev.preventDefault();
                    ev.returnValue = "Unsaved changes";
                }
            },
        });
        usePager(() => ({
            offset: this.state.offset,
            limit: this.state.limit,
            total: this.state.data?.total || 0,
            onUpdate: ({ offset, limit }) => this.load({ offset, limit }),
        }));
        useEffect(
            (editing) => {
                if (editing) {
                    this.inputRef.el.focus();
                    this.inputRef.el.setSelectionRange(editing.text.length, editing.text.length);
                }
            },
            () => [this.state.editing]
        );
        onWillStart(() => this.load());
    }

    //--------------------------------------------------------------------------
    // Data
    //--------------------------------------------------------------------------

    /** Which version or price table is shown. */
    get subject() {
        const { params, context } = this.props.action;
        return { [params.argument]: context.active_id };
    }

    async load(changes = {}) {
        this.state.editing = null;
        Object.assign(this.state, changes);
        const { search, categId, show, segmentIds, offset, limit } = this.state;
        const data = await this.keepLast.add(
            this.orm.call("channel.price.grid", "read_grid", [], {
                ...this.subject,
                search: search || false,
                categ_id: categId,
                show,
                segment_ids: [...segmentIds],
                offset,
                limit,
            })
        );
        this.state.data = data;
        this.clampSelection();
    }

    /** Change what is asked for: from the first product on. */
    update(changes) {
        return this.load({ ...changes, offset: 0 });
    }

    get rows() {
        const rows = [];
        const products = Object.groupBy(this.state.data.rows, (row) => row.product_id);
        for (const row of this.state.data.rows) {
            if (!row.first) {
                continue;
            }
            const own = products[row.product_id];
            const added = this.state.added
                .filter((entry) => entry.product_id === row.product_id)
                .filter((entry) => !own.some((other) => other.min_qty === entry.min_qty))
                .map((entry) => ({ ...row, first: false, min_qty: entry.min_qty }));
            rows.push(...[...own, ...added].sort((one, other) => one.min_qty - other.min_qty));
        }
        return rows.map((row, index) => ({
            ...row,
            first: !index || rows[index - 1].product_id !== row.product_id,
        }));
    }

    get columns() {
        return this.state.data.columns;
    }

    get editCount() {
        return Object.keys(this.state.edits).length;
    }

    key(row, column) {
        return `${row.product_id}:${row.min_qty}:${column.id}`;
    }

    cell(row, column) {
        return this.state.data.cells[`${row.product_id}:${row.min_qty}`]?.[column.id];
    }

    /** What the cell will hold once saved; null for nothing. */
    price(row, column) {
        const edit = this.state.edits[this.key(row, column)];
        return edit ? edit.price : this.cell(row, column)?.price ?? null;
    }

    isEditable(row, column) {
        return this.state.data.editable && !this.cell(row, column)?.text;
    }

    format(price) {
        return price === null ? "" : formatFloat(price, { minDigits: 2 });
    }

    /** @returns {number | null | undefined} null for an empty text, undefined for what is no price */
    parse(text) {
        text = text.trim();
        if (!text) {
            return null;
        }
        try {
            const price = parseFloat(text);
            return Number.isFinite(price) && price >= 0 ? roundDecimals(price, DIGITS) : undefined;
        } catch {
            return undefined;
        }
    }

    //--------------------------------------------------------------------------
    // Edits
    //--------------------------------------------------------------------------

    /**
     * Put prices into cells; one step for undo.
     *
     * @param {[Object, Object, number | null][]} changes row, column, price
     */
    setPrices(changes) {
        const before = {};
        for (const [row, column, price] of changes) {
            const key = this.key(row, column);
            if (!this.isEditable(row, column) || this.price(row, column) === price) {
                continue;
            }
            before[key] = this.state.edits[key];
            const was = this.cell(row, column)?.price ?? null;
            if (price === was) {
                delete this.state.edits[key];
            } else {
                this.state.edits[key] = {
                    product_id: row.product_id,
                    segment_id: column.id,
                    min_qty: row.min_qty,
                    price,
                    was,
                };
            }
            delete this.state.errors[key];
        }
        if (Object.keys(before).length) {
            this.undoStack.push(before);
        }
    }

    undo() {
        for (const [key, edit] of Object.entries(this.undoStack.pop() || {})) {
            if (edit) {
                this.state.edits[key] = edit;
            } else {
                delete this.state.edits[key];
            }
            delete this.state.errors[key];
        }
    }

    discard() {
        this.undoStack = [];
        Object.assign(this.state, { edits: {}, errors: {}, added: [], editing: null });
    }

    async save() {
        this.commitEditing();
        if (!this.editCount || this.state.saving) {
            return;
        }
        this.state.saving = true;
        try {
            const { written, errors } = await this.orm.call("channel.price.grid", "write_cells", [], {
                cells: Object.values(this.state.edits),
                ...this.subject,
            });
            if (errors.length) {
                this.showErrors(errors);
                return;
            }
            this.discard();
            this.notification.add(_t("%s prices saved", written), { type: "success" });
        } finally {
            this.state.saving = false;
        }
        await this.load();
        this.gridRef.el?.focus();
    }

    showErrors(errors) {
        this.state.errors = Object.fromEntries(
            errors.map((error) => [`${error.product_id}:${error.min_qty}:${error.segment_id}`, error])
        );
        const [first] = errors;
        this.notification.add(
            _t("Nothing was saved: %(count)s cells cannot be. %(message)s. %(remedy)s", {
                count: errors.length,
                message: first.message,
                remedy: first.remedy,
            }),
            { type: "danger", sticky: true }
        );
    }

    confirmLeave() {
        if (!this.editCount) {
            return true;
        }
        return new Promise((resolve) => {
            this.dialog.add(
                ConfirmationDialog,
                {
                    title: _t("Unsaved prices"),
                    body: _t("%s prices are not saved. Leave and lose them?", this.editCount),
                    confirmLabel: _t("Leave"),
                    confirm: () => resolve(true),
                    cancel: () => resolve(false),
                },
                { onClose: () => resolve(false) }
            );
        });
    }

    //--------------------------------------------------------------------------
    // Selection
    //--------------------------------------------------------------------------

    get selection() {
        const { focus, anchor } = this.state;
        return {
            top: Math.min(focus.row, anchor.row),
            bottom: Math.max(focus.row, anchor.row),
            left: Math.min(focus.column, anchor.column),
            right: Math.max(focus.column, anchor.column),
        };
    }

    isSelected(row, column) {
        const { top, bottom, left, right } = this.selection;
        return row >= top && row <= bottom && column >= left && column <= right;
    }

    select(row, column, extend = false) {
        const focus = {
            row: Math.max(0, Math.min(row, this.rows.length - 1)),
            column: Math.max(0, Math.min(column, this.columns.length - 1)),
        };
        this.state.focus = focus;
        if (!extend) {
            this.state.anchor = { ...focus };
        }
        this.gridRef.el
            ?.querySelector(`td[data-row="${focus.row}"][data-column="${focus.column}"]`)
            ?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }

    clampSelection() {
        this.select(this.state.focus.row, this.state.focus.column);
    }

    /** The selected cells, row by row. */
    *selected() {
        const { top, bottom, left, right } = this.selection;
        const rows = this.rows;
        for (let row = top; row <= bottom; row++) {
            for (let column = left; column <= right; column++) {
                yield [rows[row], this.columns[column]];
            }
        }
    }

    fillDown() {
        const { top, bottom, left, right } = this.selection;
        const rows = this.rows;
        const changes = [];
        for (let column = left; column <= right; column++) {
            const price = this.price(rows[top], this.columns[column]);
            for (let row = top + 1; row <= bottom; row++) {
                changes.push([rows[row], this.columns[column], price]);
            }
        }
        this.setPrices(changes);
    }

    clear() {
        this.setPrices([...this.selected()].map(([row, column]) => [row, column, null]));
    }

    /** Raise (or lower) the selected prices by per cent, to two decimals. */
    applyPercent() {
        let percent;
        try {
            percent = parseFloat(this.state.percent);
        } catch {
            percent = NaN;
        }
        if (!Number.isFinite(percent) || percent < -100) {
            this.notification.add(_t("%s is no percentage: enter for example 5 or -2.5.", this.state.percent), {
                type: "warning",
            });
            return;
        }
        this.setPrices(
            [...this.selected()]
                .map(([row, column]) => [row, column, this.price(row, column)])
                .filter(([, , price]) => price !== null)
                .map(([row, column, price]) => [row, column, roundDecimals(price * (1 + percent / 100), 2)])
        );
        this.state.percent = "";
        this.gridRef.el.focus();
    }

    addQuantity() {
        const row = this.rows[this.state.focus.row];
        const text = browser.prompt(_t("New price of %s from which quantity on?", row.name));
        if (text === null) {
            return;
        }
        const quantity = this.parse(text);
        if (!quantity) {
            this.notification.add(_t("%s is no quantity: enter a number above 0.", text), { type: "warning" });
            return;
        }
        this.state.added.push({ product_id: row.product_id, min_qty: quantity });
        const position = this.rows.findIndex(
            (other) => other.product_id === row.product_id && other.min_qty === quantity
        );
        this.select(position, this.state.focus.column);
    }

    addSegment(segmentId) {
        if (segmentId) {
            this.load({ segmentIds: [...this.state.segmentIds, segmentId] });
        }
    }

    //--------------------------------------------------------------------------
    // Editing of one cell
    //--------------------------------------------------------------------------

    startEditing(text) {
        const { row, column } = this.state.focus;
        const place = [this.rows[row], this.columns[column]];
        if (!place[0] || !this.isEditable(...place)) {
            return;
        }
        this.state.editing = { row, column, text: text ?? this.format(this.price(...place)) };
    }

    /** @returns {boolean} false when the text is no price: the cell stays open */
    commitEditing() {
        const editing = this.state.editing;
        if (!editing) {
            return true;
        }
        const price = this.parse(editing.text);
        if (price === undefined) {
            this.notification.add(_t("%s is no price: enter a number of 0 or more, or nothing.", editing.text), {
                type: "warning",
            });
            return false;
        }
        this.state.editing = null;
        this.setPrices([[this.rows[editing.row], this.columns[editing.column], price]]);
        this.gridRef.el.focus();
        return true;
    }

    onInputKeydown(ev) {
        const { row, column } = this.state.focus;
        const moves = {
            Enter: [ev.shiftKey ? -1 : 1, 0],
            Tab: [0, ev.shiftKey ? -1 : 1],
            ArrowUp: [-1, 0],
            ArrowDown: [1, 0],
        };
        ev.stopPropagation();
        if (ev.key === "Escape") {
            ev.preventDefault();
            this.state.editing = null;
            this.gridRef.el.focus();
        } else if (moves[ev.key]) {
            ev.preventDefault();
            if (this.commitEditing()) {
                this.select(row + moves[ev.key][0], column + moves[ev.key][1]);
            }
        }
    }

    //--------------------------------------------------------------------------
    // Handlers of the grid
    //--------------------------------------------------------------------------

    onKeydown(ev) {
        const { row, column } = this.state.focus;
        const command = ev.ctrlKey || ev.metaKey;
        if (ARROWS[ev.key]) {
            const [down, right] = ARROWS[ev.key];
            this.select(
                command && down ? (down > 0 ? this.rows.length - 1 : 0) : row + down,
                command && right ? (right > 0 ? this.columns.length - 1 : 0) : column + right,
                ev.shiftKey
            );
        } else if (ev.key === "Tab") {
            const next = column + (ev.shiftKey ? -1 : 1);
            if (next < 0 || next >= this.columns.length) {
                return; // leaves the grid
            }
            this.select(row, next);
        } else if (ev.key === "Enter" || ev.key === "F2") {
            this.startEditing();
        } else if (ev.key === "Delete" || ev.key === "Backspace") {
            this.clear();
        } else if (ev.key === "Home") {
            this.select(command ? 0 : row, 0, ev.shiftKey);
        } else if (ev.key === "End") {
            this.select(command ? this.rows.length - 1 : row, this.columns.length - 1, ev.shiftKey);
        } else if (ev.key === "PageDown" || ev.key === "PageUp") {
            this.select(row + (ev.key === "PageDown" ? 20 : -20), column, ev.shiftKey);
        } else if (command && ev.key === "z") {
            this.undo();
        } else if (command && ev.key === "d") {
            this.fillDown();
        } else if (command && ev.key === "s") {
            this.save();
        } else if (command && ev.key === "a") {
            this.select(0, 0);
            this.select(this.rows.length - 1, this.columns.length - 1, true);
        } else if (!command && !ev.altKey && ev.key.length === 1 && ev.key !== " ") {
            this.startEditing(ev.key);
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    onCellMousedown(ev, row, column) {
        const { editing } = this.state;
        if (editing?.row === row && editing?.column === column) {
            return;
        }
        if (this.commitEditing()) {
            this.select(row, column, ev.shiftKey);
            this.dragging = true;
            browser.addEventListener("mouseup", () => (this.dragging = false), { once: true });
        }
    }

    onCellMouseenter(row, column) {
        if (this.dragging) {
            this.select(row, column, true);
        }
    }

    onCopy(ev) {
        if (this.state.editing) {
            return;
        }
        const lines = [];
        let last;
        for (const [row, column] of this.selected()) {
            if (row !== last) {
                lines.push([]);
                last = row;
            }
            const price = this.price(row, column);
            lines.at(-1).push(price === null ? "" : formatFloat(price, { minDigits: 2, thousandsSep: "" }));
        }
        ev.clipboardData.setData("text/plain", lines.map((cells) => cells.join("\t")).join("\n"));
        ev.preventDefault();
    }

    /** A range of a spreadsheet, from the upper left selected cell on; one value fills the selection. */
    onPaste(ev) {
        if (this.state.editing || !this.state.data.editable) {
            return;
        }
        ev.preventDefault();
        const lines = ev.clipboardData
            .getData("text/plain")
            .replace(/\r?\n$/, "")
            .split(/\r?\n/)
            .map((line) => line.split("\t"));
        const changes = [];
        const refused = [];
        const put = (row, column, text) => {
            const price = this.parse(text);
            if (!row || !column) {
                refused.push(_t("%s falls outside of the grid", text));
            } else if (price === undefined) {
                refused.push(_t("“%s” is no price", text));
            } else if (!this.isEditable(row, column)) {
                refused.push(_t("%s has a formula", row.name));
            } else {
                changes.push([row, column, price]);
            }
        };
        const { top, left } = this.selection;
        const rows = this.rows;
        if (lines.length === 1 && lines[0].length === 1) {
            for (const [row, column] of this.selected()) {
                put(row, column, lines[0][0]);
            }
        } else {
            lines.forEach((cells, down) =>
                cells.forEach((text, right) => put(rows[top + down], this.columns[left + right], text))
            );
        }
        if (refused.length) {
            this.notification.add(
                _t("Nothing was pasted: %(count)s values do not fit. %(first)s.", {
                    count: refused.length,
                    first: refused[0],
                }),
                { type: "warning" }
            );
            return;
        }
        this.setPrices(changes);
        const width = Math.max(...lines.map((cells) => cells.length));
        if (lines.length > 1 || width > 1) {
            this.select(top, left);
            this.select(top + lines.length - 1, left + width - 1, true);
        }
    }

    onSearch(ev) {
        this.onSearchDebounced(ev.target.value.trim());
    }

    //--------------------------------------------------------------------------
    // Getters of the template
    //--------------------------------------------------------------------------

    get display() {
        return { controlPanel: {} };
    }

    classOf(row, column, rowIndex, columnIndex) {
        const key = this.key(row, column);
        const cell = this.cell(row, column);
        const { focus } = this.state;
        return {
            o_price_cell_changed: key in this.state.edits,
            o_price_cell_error: key in this.state.errors,
            o_price_cell_floor: cell?.issues.some((issue) => issue.code === "below_floor" || issue.code === "below_cost"),
            o_price_cell_issue: cell?.issues.length,
            o_price_cell_locked: !this.isEditable(row, column),
            o_price_cell_selected: this.isSelected(rowIndex, columnIndex),
            o_price_cell_focus: focus.row === rowIndex && focus.column === columnIndex,
        };
    }

    /** All that is to be said about a cell, in words. */
    describe(row, column) {
        const key = this.key(row, column);
        const cell = this.cell(row, column);
        const words = [];
        const edit = this.state.edits[key];
        const error = this.state.errors[key];
        if (error) {
            words.push(`${error.message}. ${error.remedy}`);
        }
        if (edit) {
            words.push(_t("before: %s", edit.was === null ? _t("nothing") : this.format(edit.was)));
        }
        if (cell?.text) {
            words.push(_t("%s: change it in the list of rules", cell.text));
        }
        if (cell?.dated) {
            words.push(_t("%s more with a period", cell.dated));
        }
        words.push(...(cell?.issues || []).map((issue) => issue.message));
        return words.join("\n");
    }
}

registry.category("actions").add("channel_pricing.price_grid", PriceGrid);
