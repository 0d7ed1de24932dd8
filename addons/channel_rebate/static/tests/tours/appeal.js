import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("channel_rebate_appeal", {
    steps: () => [
        {
            content: "Open the window that is wrong",
            trigger: ".o_channel_rebates a[href^='/my/channel/rebates/']:contains(2026)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Appeal against one of its lines",
            trigger: ".o_channel_rebate a[href*='/appeal?entry_id=']:first",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: ".o_channel_dispute_form #reason", run: "select line_wrong" },
        { trigger: "#claimed_amount", run: "edit 20,50" },
        { trigger: "#description", run: "edit The quantity was 12" },
        {
            content: "Hand it in",
            trigger: ".o_channel_dispute_form button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It was taken, and says by when it is answered",
            trigger: ".alert-success:contains(We have received your appeal)",
        },
        {
            content: "Nothing is wider than the phone",
            trigger: ".badge:contains(Submitted)",
            run() {
                const { scrollWidth, clientWidth } = document.documentElement;
                if (scrollWidth > clientWidth) {
                    throw new Error(`The page is ${scrollWidth} wide on a screen of ${clientWidth}.`);
                }
            },
        },
    ],
});
