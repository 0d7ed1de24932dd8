import { Component, onWillUnmount, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { useDebounced } from "@web/core/utils/timing";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Calls after the last change to wait for, in ms: who types a rate has typed it. */
const PAUSE = 400;

/**
 * What the terms in the form would have paid the chosen payee, calculated by the server whenever they change.
 *
 * The form does not wait for it, and nothing is saved.
 */
export class VersionExample extends Component {
    static template = "channel_rebate.VersionExample";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ example: null, waits: false });
        this.keepLast = new KeepLast();
        this.isGone = false;
        this.loadLater = useDebounced(() => this.load(), PAUSE);
        useRecordObserver((record) => {
            // Reading what the form holds is what makes the observer come back when it changes
            this.touch(record);
            if (this.state.example) {
                this.loadLater();
            } else {
                this.load();
            }
        });
        onWillUnmount(() => {
            this.isGone = true;
        });
    }

    /** @returns {number} how many values there are */
    touch(record) {
        let count = 0;
        for (const value of Object.values(record.data)) {
            for (const line of value?.records || []) {
                count += this.touch(line);
            }
            count += 1;
        }
        return count;
    }

    async load() {
        const record = this.props.record;
        if (record.data.state !== "draft") {
            return;
        }
        this.state.waits = true;
        try {
            const changes = await record.getChanges({ withReadonly: !record.resId });
            const example = await this.keepLast.add(
                this.orm.silent.call(
                    record.resModel,
                    "worked_example",
                    [record.resId ? [record.resId] : []],
                    { changes, member_id: record.data.example_member_id?.id || false }
                )
            );
            if (!this.isGone) {
                this.state.example = example;
            }
        } finally {
            this.state.waits = false;
        }
    }
}

registry.category("view_widgets").add("channel_rebate_example", { component: VersionExample });
