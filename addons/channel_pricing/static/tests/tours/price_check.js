import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("channel_price_check", {
    steps: () => [
        { trigger: ".o_field_widget[name=member_id] input", run: "click" },
        { trigger: ".modal .o_kanban_record:contains(Test Dealer)", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_field_widget[name=product_id] input", run: "click" },
        { trigger: ".modal .o_kanban_record:contains(A-DEVICE)", run: "click" },
        { trigger: ".o_channel_price_steps li[data-code=won]:contains(80.00)" },
        { trigger: ".o_field_widget[name=quantity] input", run: "edit 12 && press Tab" },
        { trigger: ".o_channel_price_steps li[data-code=won]:contains(75.00)" },
        {
            content: "Nothing is wider than the phone",
            trigger: ".o_channel_price_check",
            run() {
                const { scrollWidth, clientWidth } = document.documentElement;
                if (scrollWidth > clientWidth) {
                    throw new Error(`${scrollWidth} px on a screen of ${clientWidth} px`);
                }
            },
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved" },
    ],
});

registry.category("web_tour.tours").add("channel_portal_prices", {
    steps: () => [
        { trigger: ".o_channel_prices a:contains(A-DEVICE):contains(75.00)" },
        { trigger: ".o_channel_price_search select[name=customer_id]", run: "selectByLabel Test Hospital" },
        { trigger: ".o_channel_price_search button", run: "click", expectUnloadPage: true },
        { trigger: ".o_channel_prices a:contains(A-DEVICE):contains(60.00)", run: "click", expectUnloadPage: true },
        { trigger: ".o_channel_price:contains(60.00)" },
        { trigger: ".o_channel_price_steps li[data-code=won]" },
        {
            trigger: ".o_channel_price_check",
            run() {
                const { scrollWidth, clientWidth } = document.documentElement;
                if (scrollWidth > clientWidth) {
                    throw new Error(`${scrollWidth} px on a screen of ${clientWidth} px`);
                }
            },
        },
    ],
});
