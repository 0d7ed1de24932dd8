import { registry } from "@web/core/registry";

// Sales opens a transfer from the order: everything that is not delivered, and the dealer whom the rule proposes.
registry.category("web_tour.tours").add("channel_order_transfer_draft", {
    steps: () => [
        {
            content: "The order's button",
            trigger: ".o_form_view button[name=action_channel_transfer]:enabled",
            run: "click",
        },
        {
            content: "Both lines are there with what is left",
            trigger: ".o_field_widget[name=line_ids] .o_data_row:nth-child(2)",
        },
        {
            content: "The proposal says why",
            trigger: ".o_field_widget[name=proposal_html]:contains(Test Dealer East):contains(Test Hospital)",
        },
        {
            content: "It is filled in",
            trigger: ".o_field_widget[name=target_partner_id] input:value(Test Dealer East)",
        },
        {
            trigger: ".o_field_widget[name=reason] input",
            run: "edit No stock before the operation",
        },
        {
            content: "Only part of the first line",
            trigger: ".o_field_widget[name=line_ids] .o_data_row:first .o_data_cell[name=quantity]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=line_ids] .o_selected_row .o_field_widget[name=quantity] input",
            run: "edit 4",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Saved as a draft",
            trigger: ".o_form_saved, .o_field_widget[name=name]:contains(OT/)",
        },
    ],
});

// The manager approves it, looks at the new order, and finds the way back to the old one.
registry.category("web_tour.tours").add("channel_order_transfer_approve", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Test Dealer East) .o_data_cell",
            run: "click",
        },
        {
            content: "Approve",
            trigger: ".o_statusbar_buttons button[name=action_approve]",
            run: "click",
        },
        {
            content: "To the new order",
            trigger: "button[name=action_view_new_order]",
            run: "click",
        },
        {
            content: "It says where it comes from",
            trigger: ".o_form_view .o_field_widget[name=partner_id]:contains(Test Dealer East)",
        },
        {
            trigger: "button[name=action_channel_view_transfers]:contains(1)",
            run: "click",
        },
        {
            content: "And back",
            trigger: "button[name=action_view_order]",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_channel_transfer]",
        },
    ],
});
