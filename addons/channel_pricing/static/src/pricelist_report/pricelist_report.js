import { ProductPricelistReport } from "@product/js/pricelist_report/product_pricelist_report";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { patch } from "@web/core/utils/patch";

// The report may be one member's, for one end customer: then it has the prices of their orders.
ProductPricelistReport.components = { ...ProductPricelistReport.components, RecordSelector };

patch(ProductPricelistReport.prototype, {
    setup() {
        super.setup();
        this.state.channelMemberId = false;
        this.state.channelCustomerId = false;
    },

    get reportParams() {
        return {
            ...super.reportParams,
            channel_member_id: this.state.channelMemberId || "",
            channel_customer_id: this.state.channelCustomerId || "",
        };
    },

    /** The report's own table is the member's: another choice would show prices that nobody pays. */
    async onChannelMember(memberId) {
        this.state.channelMemberId = memberId;
        if (memberId) {
            const [member] = await this.orm.read("res.partner", [memberId], ["property_product_pricelist"]);
            const table = this.pricelists.find((pricelist) => pricelist.id === member.property_product_pricelist[0]);
            this.state.selectedPricelist = table || this.selectedPricelist;
        }
        await this.renderHtml();
    },

    async onChannelCustomer(customerId) {
        this.state.channelCustomerId = customerId;
        await this.renderHtml();
    },
});
