import type { AlertingConfig, ReceiverConfig } from '../../config/alerting-schema.ts';
import type { DeliveryConfig } from '../../config/receiver-schema.ts';
import { AlertmanagerSender } from './alertmanager-sender.ts';
import { EmailSender } from './email-sender.ts';
import { ExecSender } from './exec-sender.ts';
import { PagerdutySender } from './pagerduty-sender.ts';
import type { Sender, SenderContext } from './sender.ts';
import { SlackSender } from './slack-sender.ts';
import { WebhookSender } from './webhook-sender.ts';

/** One way of telling one receiver. */
export interface LaneSpec {
  /** `pager/webhook[0]`; the name under which its queue and its log survive a restart. */
  readonly name: string;
  readonly receiver: string;
  /** Gets alerts as they come, ungrouped and again and again, because it groups itself. */
  readonly forwards: boolean;
  readonly delivery: DeliveryConfig;
  readonly sender: Sender;
}

export function createLanes(config: AlertingConfig, context: SenderContext): readonly LaneSpec[] {
  return config.receivers.flatMap((receiver) => lanesOf(receiver, context));
}

function lanesOf(receiver: ReceiverConfig, context: SenderContext): readonly LaneSpec[] {
  const lanes = <C extends DeliveryConfig>(
    kind: string,
    configs: readonly C[],
    create: (config: C) => Sender,
  ): LaneSpec[] =>
    configs.map((delivery, index) => ({
      name: `${receiver.name}/${kind}[${index}]`,
      receiver: receiver.name,
      forwards: kind === 'alertmanager',
      delivery,
      sender: create(delivery),
    }));
  return [
    ...lanes('exec', receiver.exec_configs, (config) => new ExecSender(config, context)),
    ...lanes('webhook', receiver.webhook_configs, (config) => new WebhookSender(config, context)),
    ...lanes(
      'alertmanager',
      receiver.alertmanager_configs,
      (config) => new AlertmanagerSender(config, context),
    ),
    ...lanes('email', receiver.email_configs, (config) => new EmailSender(config, context)),
    ...lanes('slack', receiver.slack_configs, (config) => new SlackSender(config, context)),
    ...lanes('pagerduty', receiver.pagerduty_configs, (config) => new PagerdutySender(config, context)),
  ];
}
