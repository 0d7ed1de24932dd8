import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// A new member, a row without a name, and a role that does not exist.
const TABLE = [
    "Name,Role,E-mail",
    "Tour Import Ltd,distributor,office@import.example.com",
    ",distributor,nobody@import.example.com",
    "Tour Wizard Ltd,wizard,",
].join("\n");

registry.category("web_tour.tours").add("channel_import_members", {
    steps: () => [
        ...stepUtils.goToAppSteps("channel_base.menu_channel_root", "Open Channel"),
        {
            trigger: '.o_menu_sections button[data-menu-xmlid="channel_base.menu_channel_members"]',
            run: "click",
        },
        {
            trigger: '.o-dropdown--menu .dropdown-item[data-menu-xmlid="channel_member.menu_channel_member_import"]',
            run: "click",
        },
        {
            content: "Choose a file",
            trigger: ".modal .o_field_widget[name=file] input[type=file]:not(:visible)",
            run() {
                const files = new DataTransfer();
                files.items.add(new File([TABLE], "members.csv", { type: "text/csv" }));
                this.anchor.files = files.files;
                this.anchor.dispatchEvent(new Event("change", { bubbles: true }));
            },
        },
        {
            trigger: ".modal .o_field_widget[name=file] input:value(members.csv)",
        },
        {
            content: "A dry run",
            trigger: ".modal footer button[name=action_check].btn-primary",
            run: "click",
        },
        {
            content: "says which rows are wrong, and why",
            trigger: ".modal [name=problem_ids] .o_data_row:contains(Name):contains(is empty)",
        },
        {
            trigger: ".modal [name=problem_ids] .o_data_row:contains(Role):contains(wizard)",
        },
        {
            content: "As long as every row is to be in order, there is nothing to apply",
            trigger: ".modal footer:not(:has(button[name=action_apply])) button[name=action_check].btn-primary",
        },
        {
            content: "Take the rows that are in order",
            trigger: ".modal .o_field_widget[name=policy] .o_radio_item:contains(give the others back) input",
            run: "click",
        },
        {
            trigger: ".modal footer button[name=action_apply].btn-primary",
            run: "click",
        },
        {
            trigger: ".modal .alert-success:contains(Applied):contains(1)",
        },
        {
            content: "The others can be fetched as a file",
            trigger: ".modal footer button[name=action_rejected]",
        },
    ],
});
