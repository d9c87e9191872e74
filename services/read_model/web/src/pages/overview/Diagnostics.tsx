import { Anchor, Group, Text, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { Link } from "react-router";
import type { Diagnosed } from "@/api/types";
import { Panel } from "@/components/Panel";
import { texts } from "@/texts";
import { bytes } from "@/texts/format";
import classes from "./Overview.module.css";

interface Check {
  name: string;
  value: string;
  isFine: boolean;
  hint?: string;
  testid: string;
}

/** Whether the platform itself is well. */
export function Diagnostics({ diagnosed }: { diagnosed: Diagnosed }) {
  const { diagnostics: words } = texts.overview;
  return (
    <Panel
      title={words.title}
      className={classes.third}
      aside={
        <Anchor component={Link} to="/dashboard/diagnostics" size="sm">
          {words.more}
        </Anchor>
      }
    >
      <dl className={classes.checks}>
        {checks(diagnosed).map(({ name, value, isFine, hint, testid }) => {
          const Icon = isFine ? IconCircleCheck : IconAlertTriangle;
          const color = isFine ? "green" : "red";
          return (
            <div key={name} className={classes.check} data-testid={testid}>
              <dt>
                <Text size="sm" c="dimmed">
                  {name}
                </Text>
              </dt>
              <dd>
                <Tooltip label={hint} disabled={!hint} multiline w={260}>
                  <Group gap={6} wrap="nowrap" justify="flex-end" tabIndex={hint ? 0 : undefined}>
                    <Text size="sm" fw={550}>
                      {value}
                    </Text>
                    <Icon
                      size={18}
                      role="img"
                      aria-label={isFine ? words.fine : words.wrong}
                      color={`light-dark(var(--mantine-color-${color}-7), var(--mantine-color-${color}-4))`}
                    />
                  </Group>
                </Tooltip>
              </dd>
            </div>
          );
        })}
      </dl>
    </Panel>
  );
}

function checks(diagnosed: Diagnosed): readonly Check[] {
  const { core_api: core, db_schema: schema, audit, links } = diagnosed;
  const { diagnostics: words } = texts.overview;
  const isUp = core.status === "ok";
  const isEmpty = audit.fallback === "empty";
  const linksUp = links.filter((link) => link.state === "up").length;
  return [
    {
      name: words.coreApi,
      value: isUp ? words.reachable((core.latency_ms ?? 0).toFixed(1)) : words.unreachable,
      isFine: isUp,
      testid: "check-core",
    },
    {
      name: words.schema,
      value:
        schema.ok && schema.version !== null
          ? words.schemaOk(schema.version)
          : words.schemaWrong(String(schema.version ?? words.unknown), schema.expected),
      isFine: schema.ok,
      testid: "check-schema",
    },
    {
      name: words.retention,
      value: words.days(audit.retention_days),
      isFine: true,
      testid: "check-retention",
    },
    {
      name: words.fallback,
      value: isEmpty ? words.fallbackEmpty : bytes(audit.fallback_bytes),
      isFine: isEmpty,
      ...(isEmpty ? {} : { hint: words.fallbackHint }),
      testid: "check-fallback",
    },
    {
      name: words.links,
      value: links.length ? words.linksUp(linksUp, links.length) : words.unknown,
      isFine: isUp && linksUp === links.length,
      testid: "check-links",
    },
    ...(
      [
        ["log", diagnosed.nats],
        ["database", diagnosed.mongo],
      ] as const
    ).map(([name, state]) => ({
      name: words[name],
      value: words[state === "ok" ? "up" : "down"],
      isFine: state === "ok",
      testid: `check-${name}`,
    })),
  ];
}
