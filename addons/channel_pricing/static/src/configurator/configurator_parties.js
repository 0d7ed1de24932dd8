import { ComboConfiguratorDialog } from "@sale/js/combo_configurator_dialog/combo_configurator_dialog";
import { ProductConfiguratorDialog } from "@sale/js/product_configurator_dialog/product_configurator_dialog";
import { SaleOrderLineProductField } from "@sale/js/sale_product_field";
import { patch } from "@web/core/utils/patch";

// The configurators show prices before there is an order line: they ask in the name of the order's parties.

const PARTIES = {
    channelMemberId: { type: [Number, Boolean], optional: true },
    channelCustomerId: { type: [Number, Boolean], optional: true },
};

function rpcParams({ channelMemberId, channelCustomerId }) {
    return { channel_member_id: channelMemberId || null, channel_customer_id: channelCustomerId || null };
}

patch(SaleOrderLineProductField.prototype, {
    get channelParties() {
        const { partner_id, channel_end_customer_id } = this.props.record.model.root.data;
        return {
            channelMemberId: partner_id?.id || false,
            channelCustomerId: channel_end_customer_id?.id || false,
        };
    },

    _getAdditionalRpcParams() {
        return { ...super._getAdditionalRpcParams(), ...rpcParams(this.channelParties) };
    },

    _getAdditionalDialogProps() {
        return { ...super._getAdditionalDialogProps(), ...this.channelParties };
    },
});

for (const Dialog of [ProductConfiguratorDialog, ComboConfiguratorDialog]) {
    Object.assign(Dialog.props, PARTIES);
    patch(Dialog.prototype, {
        _getAdditionalRpcParams() {
            return { ...super._getAdditionalRpcParams(), ...rpcParams(this.props) };
        },
    });
}

// A configurable item of a combo opens the product configurator in turn
patch(ComboConfiguratorDialog.prototype, {
    _getAdditionalDialogProps() {
        const { channelMemberId, channelCustomerId } = this.props;
        return { ...super._getAdditionalDialogProps(), channelMemberId, channelCustomerId };
    },
});
