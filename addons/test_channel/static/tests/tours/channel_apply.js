import { registry } from "@web/core/registry";

function fitsTheScreen(page) {
    return {
        content: `${page}: nothing hangs over the edge of the telephone`,
        trigger: ".o_channel_apply",
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

/** A PDF with the text layer of a licence, small enough to be written by hand. */
function licence() {
    const lines = ["Licence number: TL-4711", "Company name: Rata Medical Ltd", "Scope of business: T13 Implants III",
        "Issued by: Device Authority", "Valid from: 2024-01-01", "Valid until: 2099-12-31"];
    const text = lines.map((line, index) => `1 0 0 1 60 ${760 - 20 * index} Tm (${line}) Tj`).join("\n");
    const stream = `BT /F1 11 Tf\n${text}\nET`;
    const objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        `<</Length ${stream.length}>>\nstream\n${stream}\nendstream`,
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ];
    let body = "%PDF-1.4\n";
    const offsets = objects.map((object, index) => {
        const offset = body.length;
        body += `${index + 1} 0 obj\n${object}\nendobj\n`;
        return String(offset).padStart(10, "0");
    });
    const table = offsets.map((offset) => `${offset} 00000 n \n`).join("");
    body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`;
    body += `trailer\n<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${body.indexOf("xref\n")}\n%%EOF\n`;
    return new File([body], "licence.pdf", { type: "application/pdf" });
}

const card = "section:contains(Test Trading Licence)";

registry.category("web_tour.tours").add("channel_apply", {
    steps: () => [
        fitsTheScreen("Start"),
        { trigger: "input[name=name]", run: "edit Rata Medical Ltd" },
        { trigger: "select[name=country_id]", run: "selectByLabel New Zealand" },
        {
            content: "Who does not trade is not asked for classes",
            trigger: "input[name=role][value=hospital]",
            run: "click",
        },
        { trigger: ".o_channel_apply_classes.d-none:not(:visible)" },
        { trigger: "input[name=role][value=distributor]", run: "click" },
        { trigger: "input[name=device_class_iii]", run: "click" },
        { trigger: "input[name=contact_name]", run: "edit Ana Rata" },
        { trigger: "input[name=email]", run: "edit ana@rata.example.com" },
        { trigger: "button[type=submit]:contains(Continue)", run: "click", expectUnloadPage: true },
        fitsTheScreen("Documents"),
        { content: "What is missing is said", trigger: `${card} .badge:contains(Missing)` },
        {
            content: "A photo chosen is sent at once",
            trigger: `${card} input[type=file]`,
            run() {
                const files = new DataTransfer();
                files.items.add(licence());
                this.anchor.files = files.files;
                this.anchor.dispatchEvent(new Event("change", { bubbles: true }));
            },
            expectUnloadPage: true,
        },
        { content: "It was read", trigger: `${card} input[name=number]:value(TL-4711)` },
        fitsTheScreen("Documents, read"),
        { content: "Going on asks for the confirmation first", trigger: ".o_channel_apply_continue", run: "click" },
        { trigger: `${card} .o_channel_apply_unsaved:visible` },
        { trigger: `${card} button:contains(Confirm and save)`, run: "click", expectUnloadPage: true },
        { trigger: `${card} .badge:contains(There)` },
        { trigger: ".o_channel_apply_continue", run: "click", expectUnloadPage: true },
        fitsTheScreen("Company"),
        { trigger: "input[name=street]", run: "edit 1 Harbour Street" },
        { trigger: "input[name=city]", run: "edit Auckland" },
        { trigger: "button:contains(Save and continue)", run: "click", expectUnloadPage: true },
        fitsTheScreen("Review"),
        { trigger: "input[name=confirmed]", run: "click" },
        { trigger: "button[type=submit]:contains(Submit)", run: "click", expectUnloadPage: true },
        { trigger: ".alert:contains(Under review)" },
        fitsTheScreen("Status"),
    ],
});
