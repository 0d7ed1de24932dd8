import { registry } from "@web/core/registry";

// The accountant makes the statement of a month, looks at its figures, and sends it.
registry.category("web_tour.tours").add("channel_account_send", {
    steps: () => [
        {
            trigger: ".o_field_widget[name=member_ids] input",
            run: "edit Test Dealer",
        },
        {
            trigger: ".o-autocomplete--dropdown-item > a:text(Test Dealer)",
            run: "click",
        },
        {
            content: "First day",
            trigger: ".o_field_widget[name=date_from] [data-field=date_from]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=date_from] input[data-field=date_from]",
            run: "edit 01/01/2025",
        },
        {
            trigger: ".o_field_widget[name=date_from] [data-field=date_to]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=date_from] input[data-field=date_to]",
            run: "edit 01/31/2025",
        },
        {
            trigger: "button[name=action_make]",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(Test Dealer) .o_data_cell[name=name]",
            run: "click",
        },
        {
            content: "The figures are there",
            trigger: ".o_field_widget[name=content_html]:contains(Closing balance):contains(days overdue)",
        },
        {
            trigger: ".o_statusbar_buttons button[name=action_send]:contains(Send)",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current[data-value=sent]",
        },
    ],
});

// The dealer opens the statement that waits, and says what is wrong with a line.
registry.category("web_tour.tours").add("channel_account_dispute", {
    steps: () => [
        {
            trigger: ".list-group-item:contains(SA/)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_channel_account_line:first summary",
            run: "click",
        },
        {
            trigger: ".o_channel_account_line:first input",
            run: "edit Price as agreed",
        },
        {
            trigger: "button[value=dispute]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#differences:contains(Price as agreed)",
        },
    ],
});

registry.category("web_tour.tours").add("channel_account_confirm", {
    steps: () => [
        {
            trigger: ".list-group-item:contains(SA/)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What the accountant found",
            trigger: "#differences:contains(It is the agreed price of January)",
        },
        {
            trigger: "button[value=confirm]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".badge:contains(Confirmed)",
        },
    ],
});
