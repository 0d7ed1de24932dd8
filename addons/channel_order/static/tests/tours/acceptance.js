import { registry } from "@web/core/registry";

// On a phone the dealer confirms the arrival, scans a label, refuses one piece, and signs.
registry.category("web_tour.tours").add("channel_order_acceptance", {
    steps: () => [
        {
            content: "It has arrived",
            trigger: ".o_channel_arrive",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "A label is scanned",
            trigger: ".o_channel_acceptance:not(:has(.o_channel_arrive)) .o_channel_scan",
            run: "edit 01069012345678921728022910LOT-B",
        },
        {
            trigger: ".o_channel_scan_button",
            run: "click",
        },
        {
            content: "Its line opens",
            trigger: ".o_channel_scan_found:contains(Found)",
        },
        {
            trigger: "details[open] input[name^=accepted_]",
            run: "edit 3",
        },
        {
            trigger: "details[open] select[name^=reason_]",
            run: "select damaged",
        },
        {
            trigger: "input[name=signed_by]",
            run: "edit Li Wei",
        },
        {
            trigger: ".o_channel_accept",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Signed, with the difference",
            trigger: ".text-danger:contains(Damaged)",
        },
    ],
});
