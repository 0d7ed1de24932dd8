import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

/**
 * Says while the form is filled in what the server would say after it was sent: whether the number can be right, and
 * whether the file is accepted. The server checks both again.
 */
export class QualificationForm extends Interaction {
    static selector = ".o_channel_qualification_form";
    dynamicContent = {
        "#number, #type_id": { "t-on-change": this.checkNumber },
        "#document": { "t-on-change": this.checkFile },
    };

    async checkNumber() {
        const number = this.el.querySelector("#number");
        const typeId = parseInt(this.el.querySelector("#type_id").value);
        const message = this.el.querySelector(".o_channel_number_message");
        message.textContent = "";
        number.classList.remove("is-valid", "is-invalid");
        if (!number.value.trim() || !typeId) {
            return;
        }
        const asked = number.value;
        const result = await this.waitFor(
            rpc("/my/channel/qualifications/check_number", { type_id: typeId, number: asked })
        );
        if (number.value !== asked) {
            return; // typed on meanwhile: another answer is on its way
        }
        message.textContent = result.message;
        message.classList.toggle("text-danger", !result.valid);
        number.classList.add(result.valid ? "is-valid" : "is-invalid");
    }

    checkFile() {
        const input = this.el.querySelector("#document");
        const message = this.el.querySelector(".o_channel_file_message");
        const [file] = input.files;
        let problem = "";
        if (file && file.size > parseInt(this.el.dataset.maxBytes)) {
            problem = message.dataset.tooBig;
        } else if (file && file.type && !this.el.dataset.mimetypes.split(",").includes(file.type)) {
            problem = message.dataset.wrongKind;
        }
        message.textContent = problem;
        input.classList.toggle("is-invalid", Boolean(problem));
        if (problem) {
            input.value = "";
        }
    }
}

registry.category("public.interactions").add("channel_member.qualification_form", QualificationForm);
