import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

function fitsTheScreen(page) {
    return {
        content: `${page}: nothing hangs over the edge of the telephone`,
        trigger: ".o_action_manager",
        run() {
            const { scrollWidth } = document.scrollingElement;
            if (window.innerWidth > 400) {
                throw new Error(`The window is ${window.innerWidth} px wide, this tour is for a telephone`);
            }
            if (scrollWidth > window.innerWidth) {
                throw new Error(`${page} is ${scrollWidth} px wide on a screen of ${window.innerWidth} px`);
            }
        },
    };
}

// Compliance, with a telephone. The Python side writes a document that waits, and asserts its state afterwards.
registry.category("web_tour.tours").add("channel_verify_on_phone", {
    steps: () => [
        {
            content: "Cards, not a table",
            trigger: ".o_kanban_view .o_kanban_record:contains(TOUR-LICENCE)",
        },
        fitsTheScreen("Qualifications"),
        {
            content: "Verify it on its card",
            trigger: ".o_kanban_record:contains(TOUR-LICENCE) button[name=action_verify]",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(TOUR-LICENCE):not(:has(button[name=action_verify])) .badge:contains(Valid)",
        },
    ],
});

// The manager finds a white spot of the matrix and authorizes a member for it.
registry.category("web_tour.tours").add("channel_matrix", {
    steps: () => [
        ...stepUtils.goToAppSteps("channel_base.menu_channel_root", "Open Channel"),
        {
            trigger: '.o_menu_sections button[data-menu-xmlid="channel_base.menu_channel_members"]',
            run: "click",
        },
        {
            trigger: '.o-dropdown--menu .dropdown-item[data-menu-xmlid="channel_member.menu_channel_authorization_matrix"]',
            run: "click",
        },
        {
            content: "The sub-dealer is authorized in the east",
            trigger: 'button.o_channel_cell[data-state=authorized][aria-label^="Test Sub-dealer, Test East: Authorized"]',
            run: "click",
        },
        {
            content: "Who serves the hospital there",
            trigger: ".modal .o_channel_cell_customer:contains(Test Hospital):contains(Test Sub-dealer):contains(Test Dealer)",
        },
        {
            content: "Go to the hospital",
            trigger: ".modal .o_channel_cell_customer button:contains(Test Hospital)",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_breadcrumb .active:contains(Test Hospital)",
        },
        {
            content: "and back",
            trigger: ".o_breadcrumb .breadcrumb-item a:contains(Authorization Matrix)",
            run: "click",
        },
        {
            content: "Look for one member",
            trigger: ".o_channel_matrix_search",
            run: "edit Sub-dealer",
        },
        {
            content: "Only this one is left",
            trigger: ".o_channel_matrix_table tbody:not(:has(tr:nth-child(2))) tr:contains(Test Sub-dealer)",
        },
        {
            content: "Regions below the east",
            trigger: '.o_channel_matrix_table th button[aria-label="Regions of Test East"]',
            run: "click",
        },
        {
            trigger: 'button.o_channel_cell[aria-label^="Test Sub-dealer, Test East / Test City: Authorized"]',
        },
        {
            content: "It has no authorization in the west",
            trigger: 'button.o_channel_cell[data-state=none][aria-label^="Test Sub-dealer, Test West: Not authorized"]',
            run: "click",
        },
        {
            trigger: ".modal p:contains(Nobody is authorized here)",
        },
        {
            content: "Authorize it",
            trigger: ".modal-footer button[name=authorize]",
            run: "click",
        },
        {
            content: "Member and region are filled in",
            trigger: ".o_form_view .o_field_widget[name=region_ids] .o_tag:contains(Test West)",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=all_products] input",
            run: "check",
        },
        ...stepUtils.saveForm(),
    ],
});

// From the list of members to the passport, and to the printer.
registry.category("web_tour.tours").add("channel_passport", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Test Dealer West) .o_data_cell[name=name]",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_channel_passport]",
            run: "click",
        },
        {
            content: "Its document is on it",
            trigger: ".o_channel_passport section[data-section=qualifications] tr:contains(Test Trading Licence):contains(Valid)",
        },
        {
            content: "and its authorization",
            trigger: ".o_channel_passport section[data-section=authorizations] tr:contains(Test West):contains(In force)",
        },
        {
            content: "Print it",
            trigger: ".o_control_panel button[name=print]",
            run: "click",
        },
        {
            content: "When it is printed, open the document",
            trigger: "body:not(:has(.o_blockUI)) .o_channel_passport a[data-model='channel.qualification']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=type_id]:contains(Test Trading Licence), .o_form_view .o_field_widget[name=type_id] input:value(Test Trading Licence)",
        },
    ],
});
