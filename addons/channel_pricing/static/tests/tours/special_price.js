import { registry } from "@web/core/registry";

// On a phone a many2one is chosen from cards in a dialog.
const choose = (field, text) => [
    {
        content: `Open the choice of ${field}`,
        trigger: `.o_field_widget[name=${field}] input`,
        run: "click",
    },
    {
        content: `Choose ${text}`,
        trigger: `.modal .o_kanban_record:contains(${text})`,
        run: "click",
    },
];

registry.category("web_tour.tours").add("channel_special_price_ask", {
    steps: () => [
        {
            content: "Ask for a special price",
            trigger: ".o_kanban_button_new, .o-kanban-button-new, .o_list_button_add",
            run: "click",
        },
        ...choose("member_id", "Test Dealer"),
        {
            content: "Add a product",
            trigger: ".o_field_widget[name=line_ids] .o-kanban-button-new",
            run: "click",
        },
        {
            trigger: ".modal .o_form_view .o_field_widget[name=product_id] input",
            run: "click",
        },
        {
            trigger: ".modal .o_kanban_record:contains(Test Catheter)",
            run: "click",
        },
        {
            content: "The table's price is there",
            trigger: ".modal .o_field_widget[name=table_price]:contains(100.00)",
        },
        {
            trigger: ".modal .o_field_widget[name=quantity] input",
            run: "edit 10",
        },
        {
            trigger: ".modal .o_field_widget[name=price] input",
            run: "edit 75",
        },
        {
            content: "No floor for a salesperson",
            trigger: ".modal .o_form_view:not(:has([name=floor_price]))",
        },
        {
            trigger: ".modal .o_form_button_save, .modal footer button.btn-primary",
            run: "click",
        },
        {
            content: "Say why",
            trigger: "body:not(:has(.modal)) .o_field_widget[name=reason] textarea",
            run: "edit The hospital has a cheaper offer",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Submit",
            trigger: ".o_statusbar_buttons button[name=action_submit], .o_cp_action_menus button[name=action_submit]",
            run: "click",
        },
        {
            content: "It waits for its approval",
            trigger: ".o_statusbar_status:contains(Waiting for Approval)",
        },
    ],
});

registry.category("web_tour.tours").add("channel_special_price_approve", {
    steps: () => [
        {
            content: "The request is among the special prices",
            trigger: ".o_kanban_record:contains(Test Dealer)",
            run: "click",
        },
        {
            content: "Who approves sees the floor",
            trigger: ".o_field_widget[name=line_ids] .o_kanban_record:contains(Floor):contains(80.00)",
        },
        {
            content: "Approve",
            trigger: ".o_statusbar_buttons button[name=action_approve]",
            run: "click",
        },
        {
            content: "It is approved",
            trigger: ".o_statusbar_status:contains(Approved)",
        },
    ],
});

registry.category("web_tour.tours").add("channel_special_price_portal", {
    steps: () => [
        {
            content: "Ask from the list",
            trigger: "a[href='/my/channel/special-prices/new']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#date_to",
            run() {
                this.anchor.value = "2099-12-31";
            },
        },
        { trigger: "#product_0", run: "edit CATH-1" },
        { trigger: "#quantity_0", run: "edit 10" },
        { trigger: "#price_0", run: "edit 75" },
        { trigger: "#reason", run: "edit The hospital has a cheaper offer" },
        {
            content: "Hand it in",
            trigger: ".o_channel_special_price_form button.btn-primary[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It was taken, and waits",
            trigger: ".badge:contains(Waiting for Approval)",
        },
    ],
});
