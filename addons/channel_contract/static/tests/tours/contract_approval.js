import { registry } from "@web/core/registry";

/** A button of the header: a telephone shows the first, the others are behind a menu. */
const press = (name) => [
    {
        content: `Look for ${name}`,
        trigger: ".o_form_view .o_statusbar_buttons",
        run() {
            if (!document.querySelector(`.o_statusbar_buttons button[name=${name}]`)) {
                document.querySelector(".o_statusbar_buttons button[title=More]").click();
            }
        },
    },
    {
        content: `Press ${name}`,
        trigger: `.o_statusbar_buttons button[name=${name}], .o-dropdown--menu button[name=${name}]`,
        run: "click",
    },
];

const fitsTheScreen = (page) => ({
    content: `${page}: nothing hangs over the edge of the telephone`,
    trigger: "body",
    run() {
        if (window.innerWidth > 400) {
            throw new Error(`The window is ${window.innerWidth} px wide, this tour is for a telephone`);
        }
        const { scrollWidth } = document.scrollingElement;
        if (scrollWidth > window.innerWidth) {
            throw new Error(`${page} is ${scrollWidth} px wide on a screen of ${window.innerWidth} px`);
        }
    },
});

const openDraft = () => [
    {
        content: "The contracts stand as cards, by stage",
        trigger: ".o_kanban_renderer.o_kanban_grouped",
    },
    fitsTheScreen("Contracts"),
    {
        trigger: ".o_kanban_record:contains(Pocket agreement)",
        run: "click",
    },
    {
        content: "Its versions",
        trigger: ".o_form_view .o-form-buttonbox",
        run() {
            if (!document.querySelector("button[name=action_open_versions]")) {
                document.querySelector(".o-form-buttonbox .o_button_more").click();
            }
        },
    },
    {
        trigger: "button[name=action_open_versions]",
        run: "click",
    },
    {
        trigger: ".o_breadcrumb:contains(Contract Versions)",
    },
    {
        trigger: ".o_kanban_record:contains(Pocket agreement v1)",
        run: "click",
    },
    {
        trigger: ".o_form_view .o_field_widget[name=purpose]",
    },
    fitsTheScreen("Version"),
];

registry.category("web_tour.tours").add("channel_contract_pocket_review", {
    steps: () => [
        ...openDraft(),
        ...press("action_request_review"),
        { trigger: ".o_form_view .alert-info:contains(In internal review)" },
    ],
});

registry.category("web_tour.tours").add("channel_contract_pocket_read", {
    steps: () => [
        ...openDraft(),
        ...press("action_read"),
        { trigger: ".o_form_view:not(:has(.o_statusbar_buttons button[name=action_read]))" },
    ],
});

registry.category("web_tour.tours").add("channel_contract_pocket_submit", {
    steps: () => [
        ...openDraft(),
        ...press("action_submit"),
        { trigger: ".o_form_view .alert-info:contains(Submitted for approval)" },
    ],
});

registry.category("web_tour.tours").add("channel_contract_pocket_approve", {
    steps: () => [
        ...openDraft(),
        {
            content: "Approve stands first",
            trigger: ".o_statusbar_buttons > button[name=action_approve]",
            run: "click",
        },
        { trigger: ".o_form_view:not(:has(.o_statusbar_buttons button[name=action_approve]))" },
        { trigger: ".o_form_view .o_field_widget[name=approved_by_id]:contains(channel_manager)" },
        fitsTheScreen("Approved"),
    ],
});
