import { registry } from "@web/core/registry";

function fitsTheScreen(page) {
    return {
        content: `${page}: nothing hangs over the edge of the telephone`,
        trigger: ".o_channel_sign",
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

/** A stroke of a finger over the field, at the speed of a hand: the field leaves out what comes too fast. */
async function draw() {
    const canvas = document.querySelector("canvas.o_web_sign_signature");
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const touch = (type, x, y, buttons) =>
        canvas.dispatchEvent(
            new PointerEvent(type, {
                bubbles: true, cancelable: true, pointerId: 1, isPrimary: true, pointerType: "touch", button: 0, buttons,
                pressure: 0.5, clientX: left + width * x, clientY: top + height * y,
            })
        );
    touch("pointerdown", 0.1, 0.6, 1);
    for (let step = 1; step <= 20; step++) {
        touch("pointermove", 0.1 + 0.04 * step, 0.5 + 0.3 * Math.sin(step), 1);
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    touch("pointerup", 0.9, 0.5, 0);
}

const untilSignature = () => [
    fitsTheScreen("Code"),
    { content: "The code goes to the mailbox", trigger: "button:contains(Send me the code)", run: "click", expectUnloadPage: true },
    { trigger: "input[name=code]", run: "edit 123456" },
    fitsTheScreen("Code asked"),
    { trigger: "button:contains(Go on)", run: "click", expectUnloadPage: true },
    fitsTheScreen("Read"),
    {
        content: "The document opens beside the page",
        trigger: "a.o_channel_sign_open",
        async run() {
            const answer = await fetch(this.anchor.href);
            const text = await answer.text();
            if (!text.startsWith("%PDF")) {
                throw new Error("The document is no PDF");
            }
        },
    },
    { trigger: "input[name=consent]", run: "click" },
    { trigger: "button:contains(Go on to sign)", run: "click", expectUnloadPage: true },
    { trigger: ".o_web_sign_name_input" },
    fitsTheScreen("Sign"),
];

const thanks = () => [
    { trigger: "button.o_portal_sign_submit:enabled", run: "click", expectUnloadPage: true },
    { trigger: ".o_channel_sign:contains(Thank you)" },
    fitsTheScreen("Thanks"),
];

registry.category("web_tour.tours").add("channel_sign_typed", {
    steps: () => [
        ...untilSignature(),
        { content: "A name typed is drawn", trigger: ".o_web_sign_auto_button", run: "click" },
        { trigger: "canvas.o_web_sign_signature", run: "canvasNotEmpty" },
        ...thanks(),
    ],
});

registry.category("web_tour.tours").add("channel_sign_drawn", {
    steps: () => [
        ...untilSignature(),
        { trigger: ".o_web_sign_draw_button", run: "click" },
        { trigger: ".o_web_sign_draw_button.active" },
        { content: "A finger signs", trigger: "canvas.o_web_sign_signature", run: draw },
        { trigger: "canvas.o_web_sign_signature", run: "canvasNotEmpty" },
        ...thanks(),
    ],
});

registry.category("web_tour.tours").add("channel_sign_sealed", {
    steps: () => [
        { trigger: ".o_channel_sign:contains(All have signed)" },
        fitsTheScreen("Sealed"),
        {
            content: "The sealed file is handed out",
            trigger: "a.o_channel_sign_sealed",
            async run() {
                const answer = await fetch(this.anchor.href);
                const text = await answer.text();
                if (!text.startsWith("%PDF") || !text.includes("/ByteRange")) {
                    throw new Error("The file is no sealed PDF");
                }
            },
        },
    ],
});

/** A colleague signs in the dialog of the backend. */
registry.category("web_tour.tours").add("channel_sign_backend", {
    steps: () => [
        { trigger: ".o_form_view button[name=action_sign]", run: "click" },
        { trigger: ".modal button[name=action_send_code]:visible", run: "click" },
        {
            content: "The document opens beside the dialog",
            trigger: ".modal .o_field_widget[name=document_url] a",
            async run() {
                const answer = await fetch(this.anchor.href);
                if (!(await answer.text()).startsWith("%PDF")) {
                    throw new Error("The document is no PDF");
                }
            },
        },
        { trigger: ".modal .o_field_widget[name=code] input", run: "edit 123456" },
        { trigger: ".modal .o_field_widget[name=consented] input", run: "click" },
        { trigger: ".modal .o_field_widget[name=signature] .o_signature", run: "click" },
        { trigger: ".modal .o_web_sign_auto_button", run: "click" },
        { trigger: ".modal canvas.o_web_sign_signature", run: "canvasNotEmpty" },
        { trigger: ".modal button.btn-primary:contains(Adopt)", run: "click" },
        { trigger: ".modal .o_field_widget[name=signature] img[src^='data:image']" },
        { trigger: ".modal button[name=action_sign]", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { content: "It is somebody else's turn now", trigger: ".o_form_view:not(:has(button[name=action_sign]))" },
    ],
});
