import { registry } from "@web/core/registry";

function fitsTheScreen(page) {
    return {
        content: `${page}: nothing hangs over the edge of the telephone`,
        trigger: "#wrapwrap",
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

function openCard(url, page) {
    return [
        {
            content: `${page}: the card on the home page`,
            trigger: `.o_portal_index_card:not(.d-none) a[href="${url}"]`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: page,
            trigger: `.o_portal_submenu .breadcrumb-item.active:contains(${page})`,
        },
        fitsTheScreen(page),
    ];
}

function backHome() {
    return [
        {
            content: "Back to the home page of the portal",
            trigger: ".o_portal_submenu a[href='/my/home']",
            run: "click",
            expectUnloadPage: true,
        },
    ];
}

function open(link, page) {
    return [
        {
            content: `Open ${page}`,
            trigger: link,
            run: "click",
            expectUnloadPage: true,
        },
        fitsTheScreen(page),
    ];
}

function sign() {
    return [
        {
            content: "Accept",
            trigger: "a[data-bs-target='#modalaccept']:visible",
            run: "click",
        },
        {
            trigger: ".modal .o_web_sign_name_and_signature input",
            run: "edit Wang Fang",
        },
        {
            trigger: ".modal .o_web_sign_name_and_signature input:value(Wang Fang)",
        },
        {
            trigger: ".modal canvas.o_web_sign_signature",
            run: "canvasNotEmpty",
        },
    ];
}

registry.category("web_tour.tours").add("channel_portal", {
    steps: () => [
        fitsTheScreen("Home"),
        ...openCard("/my/channel/qualifications", "Qualifications"),
        {
            trigger: "tr:contains(Test Trading Licence):contains(Valid)",
        },
        {
            content: "What has run out says so",
            trigger: "tr:contains(Test Implant Licence) .text-bg-danger:contains(Expired)",
        },
        ...backHome(),
        ...openCard("/my/channel/authorizations", "Authorizations"),
        ...open("td a[href*='/my/channel/authorizations/']", "Authorization"),
        {
            content: "The territory",
            trigger: "dd:contains(Test East)",
        },
        ...backHome(),
        ...openCard("/my/channel/contracts", "Contracts"),
        ...open("td a[href*='/my/channel/contracts/']", "Contract"),
        {
            trigger: "h5:contains(Contract of Test Dealer)",
        },
        ...backHome(),
        ...openCard("/my/channel/rebates", "Rebates"),
        {
            trigger: ".card:contains(Tour volume rebate)",
        },
        ...open(".card a[href*='/my/channel/rebates/']:not([href*=statement])", "Rebate"),
        {
            content: "Tier by tier: what fell into the first",
            trigger: ".o_channel_rebate li:contains(10 % of):contains(1,000.00)",
        },
        {
            content: "and what into the second",
            trigger: ".o_channel_rebate li:contains(25 % of):contains(1,000.00)",
        },
    ],
});

registry.category("web_tour.tours").add("channel_portal_sign", {
    steps: () => [
        ...open("td a:text(TOUR-GOOD)", "Quotation"),
        ...sign(),
        {
            content: "Submit",
            trigger: ".modal .o_portal_sign_submit:enabled",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#quote_content:contains(Thank You)",
        },
        fitsTheScreen("Signed order"),
    ],
});

registry.category("web_tour.tours").add("channel_portal_refused", {
    steps: () => [
        ...open("td a:text(TOUR-EXPIRED)", "Quotation"),
        ...sign(),
        {
            content: "Submit",
            trigger: ".modal .o_portal_sign_submit:enabled",
            run: "click",
        },
        {
            content: "The reason is said, with the document that is missing",
            trigger: ".modal .modal-body:contains([member_qualification]):contains(Test Implant Licence)",
        },
    ],
});
