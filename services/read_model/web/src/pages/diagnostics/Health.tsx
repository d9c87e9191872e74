import { Badge, Group, Text } from "@mantine/core";
import type { Diagnosed } from "@/api/types";
import { Panel } from "@/components/Panel";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { bytes, count } from "@/texts/format";
import classes from "./Health.module.css";

const { diagnostics } = texts;

interface Check {
  name: string;
  isWell: boolean;
  said: string;
}

/** Whether everything that the platform stands on is well. */
export function Health({ diagnosed }: { diagnosed: Diagnosed }) {
  return (
    <Panel
      title={diagnostics.health}
      aside={
        <Text size="xs" c="dimmed">
          {diagnostics.asOf}
        </Text>
      }
    >
      <ul className={classes.checks} aria-label={diagnostics.health}>
        {checksOf(diagnosed).map(({ name, isWell, said }) => (
          <li key={name} className={classes.check}>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <Text size="sm" fw={600}>
                {name}
              </Text>
              <Badge style={tint(isWell ? "green" : "red")}>
                {isWell ? diagnostics.ok : diagnostics.down}
              </Badge>
            </Group>
            <Text size="sm" c="dimmed">
              {said}
            </Text>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function checksOf({ core_api, db_schema, audit, nats, mongo }: Diagnosed): Check[] {
  const latency = core_api.latency_ms;
  const known = (version: number | null) => (version === null ? "–" : String(version));
  const fallback =
    audit.fallback === "empty"
      ? diagnostics.fallbackEmpty
      : diagnostics.fallbackWaits(count(audit.fallback_lines), bytes(audit.fallback_bytes));
  return [
    {
      name: diagnostics.core,
      isWell: core_api.status === "ok",
      said: latency === null ? diagnostics.noAnswer : diagnostics.latency(latency.toFixed(1)),
    },
    {
      name: diagnostics.nats,
      isWell: nats === "ok",
      said: nats === "ok" ? diagnostics.answers : diagnostics.noAnswer,
    },
    {
      name: diagnostics.mongo,
      isWell: mongo === "ok",
      said: mongo === "ok" ? diagnostics.answers : diagnostics.noAnswer,
    },
    {
      name: diagnostics.schema,
      isWell: db_schema.ok,
      said: `${diagnostics.schemaVersion(known(db_schema.version))}, ${diagnostics.schemaExpected(known(db_schema.expected))}`,
    },
    {
      name: diagnostics.audit,
      isWell: audit.fallback === "empty",
      said: `${diagnostics.auditRetention(count(audit.retention_days))}; ${fallback}`,
    },
  ];
}
