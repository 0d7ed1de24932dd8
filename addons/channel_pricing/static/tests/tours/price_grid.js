import { registry } from "@web/core/registry";

const cell = (row, column) => `.o_price_cell[data-row="${row}"][data-column="${column}"]`;

function press(key, options = {}) {
    return () => {
        document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options })
        );
    };
}

function paste(text) {
    return () => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text/plain", text);
        document
            .querySelector(".o_price_grid_scroll")
            .dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    };
}

function choose(row, column, extend = false) {
    return () => {
        document
            .querySelector(cell(row, column))
            .dispatchEvent(new MouseEvent("mousedown", { bubbles: true, shiftKey: extend }));
        document.querySelector(".o_price_grid_scroll").focus();
    };
}

// Rows: Test Catheter from 0 and from 10, Test Gauze from 0. Columns: everybody, two segments.
registry.category("web_tour.tours").add("channel_price_grid", {
    steps: () => [
        {
            content: "The price that stands there",
            trigger: `${cell(0, 1)}:contains(90.00)`,
            run: choose(0, 1),
        },
        { trigger: `${cell(0, 1)}.o_price_cell_focus`, run: press("9") },
        { content: "Typing begins an edit", trigger: `${cell(0, 1)} input`, run: "edit 95.5" },
        { trigger: `${cell(0, 1)} input`, run: press("Enter") },
        {
            content: "Enter goes down, and the cell is marked",
            trigger: `${cell(0, 1)}.o_price_cell_changed:contains(95.50)`,
        },
        { trigger: `${cell(1, 1)}.o_price_cell_focus`, run: press("ArrowRight") },
        { trigger: `${cell(1, 2)}.o_price_cell_focus`, run: press("ArrowUp") },
        {
            content: "A range of a spreadsheet",
            trigger: `${cell(0, 2)}.o_price_cell_focus`,
            run: paste("70\n60\n\n"),
        },
        { trigger: `${cell(1, 2)}.o_price_cell_changed:contains(60.00)` },
        { content: "What is no price is refused as a whole", trigger: cell(0, 2), run: paste("71\nmany") },
        { trigger: ".o_notification:contains(many)" },
        { trigger: `${cell(0, 2)}:contains(70.00)`, run: choose(0, 0) },
        { trigger: `${cell(0, 0)}.o_price_cell_focus`, run: choose(2, 0, true) },
        { content: "Fill down", trigger: `${cell(2, 0)}.o_price_cell_selected`, run: press("d", { ctrlKey: true }) },
        { trigger: `${cell(2, 0)}.o_price_cell_changed:contains(100.00)` },
        { content: "and by 10 % more", trigger: ".o_price_grid_percent input", run: "edit 10" },
        { trigger: "button[name=percent]", run: "click" },
        { trigger: `${cell(1, 0)}:contains(110.00)`, run: choose(1, 0) },
        { content: "Nothing in this cell", trigger: `${cell(1, 0)}.o_price_cell_focus`, run: press("Delete") },
        { trigger: `${cell(1, 0)}:not(:contains(110.00))`, run: press("z", { ctrlKey: true }) },
        { content: "Undone", trigger: `${cell(1, 0)}:contains(110.00)`, run: press("Delete") },
        { trigger: "button[name=save]:contains(Save (5))", run: "click" },
        { content: "Saved", trigger: ".o_notification:contains(5 prices saved)" },
        { trigger: `${cell(0, 1)}:not(.o_price_cell_changed):contains(95.50)` },
        { trigger: "button[name=save]:disabled" },
    ],
});
