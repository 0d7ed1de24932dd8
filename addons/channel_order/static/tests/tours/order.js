import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("channel_order_by_list", {
    steps: () => [
        {
            content: "Choose the hospital",
            trigger: ".o_channel_hospitals button:contains(Test Hospital)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The catalogue has the own price and says whether there is some",
            trigger: ".o_channel_product:contains(CATH-1):contains(100.00):contains(In stock)",
        },
        {
            content: "Paste a list",
            trigger: ".o_channel_tab_list",
            run: "click",
        },
        {
            trigger: "#channel_text",
            run: (helpers) => helpers.edit("CATH-1 10\nGAUZE 4\nNO-SUCH 2"),
        },
        {
            trigger: ".o_channel_list button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Two rows are in, one is told with its reason",
            trigger: ".o_channel_pending:contains(NO-SUCH):contains(there is no product)",
        },
        {
            trigger: ".o_channel_line:contains(CATH-1):contains(1,000.00)",
        },
        {
            content: "Leave that row out",
            trigger: "#channel_mend",
            run: "clear",
        },
        {
            trigger: ".o_channel_pending button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "More by code",
            trigger: "body:not(:has(.o_channel_pending)) .o_channel_tab_quick",
            run: "click",
        },
        {
            trigger: ".o_channel_quick input[name=text]",
            run: "edit gauze 2",
        },
        {
            trigger: ".o_channel_quick button[type=submit]",
            run: "click",
        },
        {
            content: "It is added to the line that is there",
            trigger: ".o_channel_line:contains(GAUZE) .o_channel_subtotal:contains(54.00)",
        },
        {
            content: "One more of the other",
            trigger: ".o_channel_line:contains(CATH-1) .o_channel_plus",
            run: "click",
        },
        {
            content: "Price and total follow",
            trigger: ".o_channel_bar .o_channel_total:contains(1,154.00)",
        },
        {
            trigger: ".o_channel_line:contains(CATH-1) .o_channel_subtotal:contains(1,100.00)",
        },
        {
            trigger: "#client_order_ref",
            run: "edit PO-PHONE",
        },
        {
            trigger: ".o_channel_submit",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is received",
            trigger: ".alert-success:contains(We have received your order)",
        },
    ],
});
