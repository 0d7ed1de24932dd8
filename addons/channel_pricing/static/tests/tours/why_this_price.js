import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("channel_why_this_price", {
    steps: () => [
        {
            content: "Ask why the line costs what it does",
            trigger: ".o_field_sol_o2m button[name=action_channel_explain_price]",
            run: "click",
        },
        {
            content: "The rule that won is told",
            trigger: ".modal .o_channel_price_steps li[data-code=won]:contains(60.00)",
        },
        {
            content: "and those that did not, and why",
            trigger: ".modal .o_channel_price_steps li[data-code=lost]:contains(80.00)",
        },
        {
            content: "and what it comes to on the order",
            trigger: ".modal .o_channel_price_steps li[data-code=net]:contains(60.00)",
        },
        { trigger: ".modal footer button:contains(Close)", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_field_sol_o2m" },
    ],
});
