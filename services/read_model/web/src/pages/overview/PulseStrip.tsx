import { Badge, Text } from "@mantine/core";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { Pulse } from "@/api/types";
import { Panel } from "@/components/Panel";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count } from "@/texts/format";
import classes from "./Overview.module.css";

const Spark = lazy(() => import("./charts/Spark"));
/** Two minutes, one reading a second. */
const KEPT = 120;

interface Parts {
  pulse: Pulse;
  latencyMs: number | null;
}

/** What moves right now. */
export function PulseStrip({ pulse, latencyMs }: Parts) {
  const { pulse: words } = texts.overview;
  const readings = useReadings(pulse.delivered / pulse.interval_s);
  const isUp = pulse.core === "ok";
  return (
    <Panel title={words.title}>
      <div className={classes.pulse}>
        <dl>
          <Reading name={words.inFlight} hint={words.inFlightHint} testid="pulse-in-flight">
            {count(pulse.in_flight)}
          </Reading>
          <Reading
            name={words.delivered}
            hint={words.deliveredHint(pulse.interval_s)}
            testid="pulse-delivered"
          >
            {count(pulse.delivered)}
          </Reading>
          <Reading
            name={words.core}
            hint={
              isUp && latencyMs !== null
                ? words.coreOkHint(latencyMs.toFixed(1))
                : isUp
                  ? ""
                  : words.coreDownHint
            }
            testid="pulse-core"
          >
            <Badge size="xl" tt="none" style={tint(isUp ? "green" : "red")}>
              {isUp ? words.coreOk : words.coreDown}
            </Badge>
          </Reading>
        </dl>
        <div className={classes.spark} role="img" aria-label={words.spark}>
          <Suspense fallback={<div style={{ height: 56 }} />}>
            <Spark readings={readings} />
          </Suspense>
        </div>
      </div>
    </Panel>
  );
}

interface One {
  name: string;
  hint: string;
  testid: string;
  children: React.ReactNode;
}

function Reading({ name, hint, testid, children }: One) {
  return (
    <div className={classes.reading}>
      <dt>{name}</dt>
      <dd>
        <div className={classes.value} data-testid={testid}>
          {children}
        </div>
        <Text size="xs" c="dimmed">
          {hint || "\u00a0"}
        </Text>
      </dd>
    </div>
  );
}

/** The last readings, one a second, whether something has come or not. */
function useReadings(now: number): readonly number[] {
  const newest = useRef(now);
  newest.current = now;
  const [readings, setReadings] = useState<readonly number[]>(() => Array(KEPT).fill(0));
  useEffect(() => {
    const timer = setInterval(
      () => setReadings((known) => [...known.slice(1 - KEPT), newest.current]),
      1000,
    );
    return () => clearInterval(timer);
  }, []);
  return readings;
}
