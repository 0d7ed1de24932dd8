import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("channel_contract_read_and_comment", {
    steps: () => [
        {
            content: "Open the draft that was shared",
            trigger: "a:contains(Distribution of implants), a[href*='/my/channel/contracts/']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Read its clauses",
            trigger: ".list-group-item:contains(Draft to discuss) a:contains(Version 1)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Say something about the prices",
            trigger: "article:contains(Text of Prices) .o_channel_threads > summary",
            run: "click",
        },
        {
            trigger: "article:contains(Text of Prices) textarea",
            run: "edit The prices are too high.",
        },
        {
            trigger: "article:contains(Text of Prices) button:contains(Send)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It stands below the clause",
            trigger: "article:contains(Text of Prices) .o_channel_comment:contains(The prices are too high.)",
        },
    ],
});

registry.category("web_tour.tours").add("channel_contract_answer", {
    steps: () => [
        {
            content: "Open what the member said",
            trigger: ".o_kanban_record:contains(The prices are too high.)",
            run: "click",
        },
        {
            content: "Answer it",
            trigger: ".o_form_view button[name=action_answer]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=body] textarea",
            run: "edit We take 2 % off.",
        },
        {
            trigger: ".modal .o_field_widget[name=resolve] input",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_send]",
            run: "click",
        },
        {
            content: "The thread is closed",
            trigger: ".o_form_view:not(:has(.modal)) .o_field_widget[name=resolved_by_id]",
        },
    ],
});
