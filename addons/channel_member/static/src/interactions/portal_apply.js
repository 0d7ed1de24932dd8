import { addLoadingEffect } from "@web/core/utils/ui";
import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

/** Classes of devices are asked of those only who trade devices; without JavaScript they are asked of everybody. */
export class ChannelApplyRole extends Interaction {
    static selector = ".o_channel_apply_form:has(.o_channel_apply_classes)";
    dynamicContent = {
        "input[name=role]": { "t-on-change": () => {} }, // the handler's end renders the class below anew
        ".o_channel_apply_classes": { "t-att-class": () => ({ "d-none": !this.trades }) },
    };

    get trades() {
        const role = this.el.querySelector("input[name=role]:checked");
        return !role || Boolean(role.dataset.trades);
    }
}

/** A chosen file is sent at once, so that what it says is filled in; one that is too large is not sent at all. */
export class ChannelApplyUpload extends Interaction {
    static selector = ".o_channel_apply_upload";
    dynamicContent = {
        "input[type=file]": {
            "t-on-change": this.onFileChange,
            "t-att-class": () => ({ "is-invalid": this.tooLarge }),
        },
        ".o_channel_apply_too_large": {
            "t-att-class": () => ({ "d-none": !this.tooLarge, "d-block": this.tooLarge }),
        },
    };

    setup() {
        this.tooLarge = false;
    }

    onFileChange(ev) {
        const input = ev.currentTarget;
        const files = [...input.files];
        this.tooLarge = files.some((file) => file.size > Number(input.dataset.maxBytes));
        if (files.length && !this.tooLarge) {
            this.el.requestSubmit();
        }
    }
}

/** Who goes on with a document that was not saved is shown it once; pressing Continue again leaves it as it was. */
export class ChannelApplyDocuments extends Interaction {
    static selector = ".o_channel_apply_documents";
    dynamicContent = {
        ".o_channel_apply_upload": { "t-on-input": (ev) => (ev.currentTarget.dataset.unsaved = "1") },
        ".o_channel_apply_continue": { "t-on-click": this.onContinue },
    };

    onContinue(ev) {
        const form = this.el.querySelector(".o_channel_apply_upload[data-unsaved]:not([data-asked])");
        if (form) {
            ev.preventDefault();
            form.dataset.asked = "1";
            form.querySelector(".o_channel_apply_unsaved").classList.remove("d-none");
            form.querySelector("button[type=submit]").scrollIntoView({ block: "center" });
        }
    }
}

/** A form is sent once, however often the button is pressed. */
export class ChannelApplyForm extends Interaction {
    static selector = ".o_channel_apply_form:not([data-captcha])";
    dynamicContent = {
        _root: { "t-on-submit": this.onSubmit },
    };

    onSubmit() {
        const button = this.el.querySelector("button[type=submit]");
        if (button && !button.disabled) {
            this.registerCleanup(addLoadingEffect(button));
        }
    }
}

const interactions = registry.category("public.interactions");
interactions.add("channel_member.apply_role", ChannelApplyRole);
interactions.add("channel_member.apply_upload", ChannelApplyUpload);
interactions.add("channel_member.apply_documents", ChannelApplyDocuments);
interactions.add("channel_member.apply_form", ChannelApplyForm);
