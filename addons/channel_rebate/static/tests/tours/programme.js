import { registry } from "@web/core/registry";

// Finance begins a version from a template, changes a rate, and looks at what it would have cost.
registry.category("web_tour.tours").add("channel_rebate_builder", {
    steps: () => [
        {
            content: "Open the programme",
            trigger: ".o_data_row:contains(Tour programme) .o_data_cell",
            run: "click",
        },
        {
            content: "Begin from a template",
            trigger: ".o_statusbar_buttons button[name=action_from_template]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=template_id] input",
            run: "edit Volume rebate, on everything",
        },
        {
            trigger: ".ui-autocomplete .ui-menu-item a:contains(Volume rebate, on everything)",
            run: "click",
        },
        {
            content: "It says what it pays",
            trigger: ".modal .o_field_widget[name=description]:contains(36,000)",
        },
        {
            trigger: ".modal button[name=action_make]",
            run: "click",
        },
        {
            content: "The draft has the tiers of the template",
            trigger: ".o_field_widget[name=tier_ids] .o_data_row:contains(1,000,000.00)",
        },
        {
            content: "The first tier pays from the first cent on",
            trigger: ".o_field_widget[name=tier_ids] .o_data_row:first .o_data_cell[name=rate]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=tier_ids] .o_selected_row .o_field_widget[name=rate] input",
            run: "edit 4",
        },
        {
            content: "What it would have paid is shown at once, before anything is saved",
            trigger: ".o_notebook .nav-link:contains(Tiers)",
            run: "click",
        },
        {
            trigger: ".o_channel_rebate_example_words:contains(Test Dealer would have earned):contains(36.00):contains(18.00 more)",
        },
        {
            content: "Other pages show what the method needs",
            trigger: ".o_notebook .nav-link:contains(Limits)",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=payout_cap] input",
            run: "edit 50",
        },
        {
            content: "The cap takes nothing of it; one of 30 would",
            trigger: ".o_channel_rebate_example_words:not(:contains(The cap took))",
        },
        {
            trigger: ".o_field_widget[name=payout_cap] input",
            run: "edit 30",
        },
        {
            trigger: ".o_notebook .nav-link:contains(Limits)",
            run: "click",
        },
        {
            trigger: ".o_channel_rebate_example_words:contains(The cap took):contains(6.00)",
        },
        {
            trigger: ".o_field_widget[name=payout_cap] input",
            run: "edit 50",
        },
        {
            content: "Try it on past sales",
            trigger: ".o_statusbar_buttons button[name=action_simulate]",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_calculate]",
            run: "click",
        },
        {
            content: "Who gains and who loses",
            trigger: ".modal .o_field_widget[name=gainers]:contains(1)",
        },
        {
            trigger: ".modal .o_field_widget[name=line_ids] .o_data_row:contains(Test Dealer):contains(36.00)",
        },
        {
            trigger: ".modal button:contains(Close)",
            run: "click",
        },
        {
            content: "Back at the draft",
            trigger: "body:not(:has(.modal)) .o_form_view .o_form_saved, body:not(:has(.modal)) .o_statusbar_status",
        },
    ],
});

// A manager sees what the draft would have paid and approves it.
registry.category("web_tour.tours").add("channel_rebate_approve", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Tour programme):contains(Draft) .o_data_cell, .o_kanban_record:contains(Tour programme):contains(Draft)",
            run: "click",
        },
        {
            trigger: ".o_channel_rebate_example_words:contains(Test Dealer would have earned):contains(36.00)",
        },
        {
            trigger: "button[name=action_approve]",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Approved)",
        },
    ],
});

// Finance accrues and drafts the settlements; a manager approves one.
registry.category("web_tour.tours").add("channel_rebate_accrue", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Tour programme) .o_data_cell",
            run: "click",
        },
        {
            content: "Accrue",
            trigger: ".o_statusbar_buttons button[name=action_accrue]",
            run: "click",
        },
        {
            content: "The balances are there",
            trigger: ".o_list_view .o_data_row:contains(Test Dealer):contains(18.00)",
        },
        {
            content: "Back to the programme",
            trigger: ".o_breadcrumb .o_back_button a, .o_breadcrumb a:contains(Tour programme)",
            run: "click",
        },
        {
            content: "Draft the settlements",
            trigger: ".o_statusbar_buttons button[name=action_propose_settlements]",
            run: "click",
        },
        {
            content: "One window is open, of one member",
            trigger: ".o_form_view .o_field_widget[name=line_ids] .o_data_row:contains(18.00)",
        },
    ],
});

registry.category("web_tour.tours").add("channel_rebate_settle", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Test Dealer) .o_data_cell",
            run: "click",
        },
        {
            content: "Approve",
            trigger: ".o_statusbar_buttons button[name=action_approve]",
            run: "click",
        },
        {
            content: "The credit note is there",
            trigger: "button[name=action_view_document]:contains(Posted)",
        },
    ],
});

// On a phone a manager reads the example, tries another cap, and looks at who gains and who loses.
registry.category("web_tour.tours").add("channel_rebate_phone", {
    steps: () => [
        {
            content: "Read what the draft would have paid",
            trigger: ".o_channel_rebate_example_words:contains(Test Dealer would have earned):contains(18.00)",
        },
        {
            content: "The simulation is behind the three dots",
            trigger: ".o_statusbar_buttons .o-dropdown, .o_cp_action_menus + button, .o_statusbar_buttons button.dropdown-toggle",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu button[name=action_simulate], .o_bottom_sheet button[name=action_simulate]",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_calculate]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=line_ids] .o_kanban_record:contains(Test Dealer):contains(18.00), .modal .o_field_widget[name=line_ids] .o_data_row:contains(Test Dealer):contains(18.00)",
        },
        {
            trigger: ".modal .o_back_button, .modal button:contains(Close)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) button[name=action_approve]",
            run: "click",
        },
        {
            trigger: "body:not(:has(button[name=action_approve])) .o_form_view",
        },
    ],
});
