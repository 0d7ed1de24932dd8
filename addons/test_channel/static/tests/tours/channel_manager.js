import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

function openMenu(section, menu) {
    return [
        {
            content: "Open the section",
            trigger: `.o_menu_sections button[data-menu-xmlid="${section}"]`,
            run: "click",
        },
        {
            content: "Open the list",
            trigger: `.o-dropdown--menu .dropdown-item[data-menu-xmlid="${menu}"]`,
            run: "click",
        },
    ];
}

function openQuotation() {
    return [
        ...stepUtils.goToAppSteps("sale.sale_menu_root", "Open Sales"),
        {
            content: "Open the quotation for the new member",
            trigger: ".o_data_row:contains(Tour Dealer) .o_data_cell[name=partner_id]",
            run: "click",
        },
    ];
}

// The Python side writes two applicants with their documents, a contract with a draft version, a draft authorization
// and a quotation, and asserts afterwards what this left in the database.
registry.category("web_tour.tours").add("channel_manager", {
    steps: () => [
        ...stepUtils.goToAppSteps("channel_base.menu_channel_root", "Open Channel"),
        ...openMenu("channel_base.menu_channel_members", "channel_member.menu_channel_member"),
        {
            content: "One applicant has no licence: open it",
            trigger: ".o_data_row:contains(Tour Incomplete) .o_data_cell[name=name]",
            run: "click",
        },
        {
            trigger: ".o_form_view .nav-link[name=channel]",
            run: "click",
        },
        {
            content: "Its documents are to be provided, and there are none in the list",
            trigger: ".o_field_widget[name=channel_compliance_status] .badge.text-bg-info:contains(To be provided)",
        },
        {
            trigger: ".o_field_widget[name=channel_qualification_ids]:not(:has(.o_data_row))",
        },
        {
            content: "Back to the members",
            trigger: ".o_breadcrumb .breadcrumb-item a:contains(Members)",
            run: "click",
        },
        {
            content: "The other applicant has what it needs: open it",
            trigger: ".o_data_row:contains(Tour Dealer) .o_data_cell[name=name]",
            run: "click",
        },
        {
            trigger: ".o_form_view .nav-link[name=channel]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=channel_compliance_status] .badge.text-bg-success:contains(In order)",
        },
        {
            content: "Its licence, verified by Compliance, is in the list",
            trigger: ".o_field_widget[name=channel_qualification_ids] .o_data_row:contains(Test Trading Licence):contains(Valid)",
        },
        {
            content: "Admit it",
            trigger: ".o_statusbar_buttons button[name=action_channel_activate]",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Active)",
        },
        ...openMenu("channel_base.menu_channel_contracts", "channel_contract.menu_channel_contract"),
        {
            content: "Open its contract",
            trigger: ".o_kanban_record:contains(Tour agreement)",
            run: "click",
        },
        {
            content: "Open the versions",
            trigger: ".o-form-buttonbox button[name=action_open_versions]",
            run: "click",
        },
        {
            trigger: ".o_breadcrumb:contains(Versions)",
        },
        {
            trigger: ".o_data_row:contains(First terms) .o_data_cell[name=purpose]",
            run: "click",
        },
        {
            content: "Approve what the contract department drafted",
            trigger: ".o_form_view button[name=action_approve]",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Approved)",
        },
        ...openQuotation(),
        {
            content: "The gate says beforehand that the order will be refused: there is no authorization yet",
            trigger: ".o_field_widget[name=channel_gate_banner] .alert-danger:contains(This will be refused)",
        },
        {
            content: "Who tries all the same",
            trigger: ".o_statusbar_buttons button[name=action_confirm]:visible",
            run: "click",
        },
        {
            content: "is told why, as a message and not as a crash of the server",
            trigger: ".modal .modal-title:contains(Odoo Warning)",
        },
        {
            trigger: ".modal .modal-body:contains([member_authorization])",
        },
        {
            trigger: ".modal .modal-footer button",
            run: "click",
        },
        {
            content: "and it is still a quotation",
            trigger: "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Quotation)",
        },
        ...stepUtils.goToAppSteps("channel_base.menu_channel_root", "Open Channel"),
        ...openMenu("channel_base.menu_channel_members", "channel_member.menu_channel_authorization"),
        {
            content: "Open the authorization that the contract department drafted",
            trigger: ".o_data_row:contains(Tour Dealer) .o_data_cell[name=partner_id]",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_approve]",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Approved)",
        },
        ...openQuotation(),
        {
            content: "Now the gate has nothing to say",
            trigger: ".o_form_view:not(:has(.o_channel_gate)) .o_statusbar_buttons button[name=action_confirm]:visible",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Sales Order)",
        },
    ],
});
