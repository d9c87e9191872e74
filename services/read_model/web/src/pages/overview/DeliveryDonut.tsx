import { Group, Loader, Text } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { type CSSProperties, lazy, Suspense } from "react";
import type { Delivery } from "@/api/types";
import { Panel } from "@/components/Panel";
import { Empty } from "@/components/States";
import { texts } from "@/texts";
import { compact, count, percent } from "@/texts/format";
import classes from "./Overview.module.css";

const Ring = lazy(() => import("./charts/Ring"));
const { delivery: words } = texts.overview;
const PARTS = [
  { name: "delivered", label: words.delivered, hint: words.deliveredHint, color: "green" },
  { name: "in_flight", label: words.inFlight, hint: words.inFlightHint, color: "blue" },
  { name: "errors", label: words.errors, hint: words.errorsHint, color: "red" },
] as const;

/** What has become of the messages of all active campaigns. */
export function DeliveryDonut({ delivery }: { delivery: Delivery }) {
  const total = delivery.delivered + delivery.in_flight + delivery.errors;
  const isLoading = delivery.state === "loading";
  return (
    <Panel title={words.title} className={classes.third}>
      {total === 0 && !isLoading ? (
        <Empty title={words.nothing} icon={<IconSend aria-hidden />}>
          {words.nothingHint}
        </Empty>
      ) : (
        <div className={classes.donut} data-testid="donut">
          <Parts delivery={delivery} total={total} isLoading={isLoading} />
          <ul className={classes.legend}>
            {PARTS.map(({ name, label, hint, color }) => (
              <li key={name}>
                <Group gap={10} wrap="nowrap" justify="space-between">
                  <Group gap={10} wrap="nowrap">
                    <span className={classes.key} style={key(color)} aria-hidden />
                    <div>
                      <Text size="sm" fw={600}>
                        {label}
                      </Text>
                      <Text size="xs" c="dimmed">
                        {hint}
                      </Text>
                    </div>
                  </Group>
                  <div style={{ textAlign: "right" }} data-testid={`donut-${name}`}>
                    <Text size="sm" fw={650}>
                      {count(delivery[name])}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {total ? percent((delivery[name] * 100) / total) : texts.shared.none}
                    </Text>
                  </div>
                </Group>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}

interface Drawn {
  delivery: Delivery;
  total: number;
  isLoading: boolean;
}

function Parts({ delivery, total, isLoading }: Drawn) {
  const parts = PARTS.filter(({ name }) => delivery[name] > 0).map(({ name, label, color }) => ({
    name: label,
    value: delivery[name],
    color: `${color}.5`,
  }));
  const nothing = [{ name: "", value: 1, color: "gray.3" }];
  const told = words.chart(
    count(delivery.delivered),
    count(delivery.in_flight),
    count(delivery.errors),
  );
  return (
    <div className={classes.ring} role="img" aria-label={isLoading ? words.loading : told}>
      <Suspense fallback={<div style={{ width: 176, height: 176 }} />}>
        <Ring parts={parts.length ? parts : nothing} />
      </Suspense>
      <div className={classes.center}>
        {isLoading ? (
          <>
            <Loader size="sm" aria-hidden />
            <Text size="xs" c="dimmed" mt={4}>
              {words.loading}
            </Text>
          </>
        ) : (
          <>
            <Text size="xl" fw={700} lh={1.1}>
              {compact(total)}
            </Text>
            <Text size="xs" c="dimmed">
              {words.total}
            </Text>
          </>
        )}
      </div>
    </div>
  );
}

function key(color: string): CSSProperties {
  return { "--key": `var(--mantine-color-${color}-5)` } as CSSProperties;
}
