import { Alert, Button, Text } from "@mantine/core";
import { IconPlugConnectedX, IconPlus } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link } from "react-router";
import { api, data } from "@/api/client";
import type { Overview as Shown } from "@/api/types";
import { type Liveness, useLive } from "@/api/useLive";
import { useTellCore } from "@/app/useCore";
import { useMay } from "@/auth/session";
import { LiveState } from "@/components/LiveState";
import { Page } from "@/components/Page";
import { Failure } from "@/components/States";
import { texts } from "@/texts";
import { time } from "@/texts/format";
import { Activity } from "./overview/Activity";
import { Authors } from "./overview/Authors";
import { DeliveryDonut } from "./overview/DeliveryDonut";
import { Diagnostics } from "./overview/Diagnostics";
import { FunnelPanel } from "./overview/FunnelPanel";
import { KpiTiles } from "./overview/KpiTiles";
import classes from "./overview/Overview.module.css";
import { OverviewLoading } from "./overview/OverviewLoading";
import { PulseStrip } from "./overview/PulseStrip";
import { Recent } from "./overview/Recent";

/** Everything that happens in the workspace, as it happens. */
export default function Overview() {
  const mayCreate = useMay("author");
  const {
    data: shown,
    error,
    refetch,
    liveness,
  } = useLive<Shown>({
    key: ["overview"],
    read: () => data(api.GET("/api/v1/overview")),
    stream: "/api/v1/overview/stream",
    event: "overview",
  });
  const tellCore = useTellCore();
  const core = shown?.pulse.core;
  useEffect(() => {
    if (core && liveness.state === "live") tellCore(core);
  }, [core, liveness.state, tellCore]);
  return (
    <Page
      title={texts.overview.title}
      beside={<LiveState liveness={liveness} />}
      actions={
        mayCreate && (
          <Button
            component={Link}
            to="/dashboard/campaigns/new"
            leftSection={<IconPlus size={16} aria-hidden />}
          >
            {texts.shell.newCampaign}
          </Button>
        )
      }
    >
      <StreamLost liveness={liveness} />
      {shown ? (
        <Panels shown={shown} />
      ) : error ? (
        <Failure error={error} retry={refetch} title={texts.overview.failed} />
      ) : (
        <OverviewLoading />
      )}
    </Page>
  );
}

function StreamLost({ liveness }: { liveness: Liveness }) {
  const { state, asOf } = liveness;
  return (
    <div role="alert">
      {state === "lost" && (
        <Alert
          color="amber"
          mb="md"
          icon={<IconPlugConnectedX aria-hidden />}
          className={classes.lost}
        >
          <Text span inherit fw={650}>
            {texts.overview.lostTitle}
          </Text>{" "}
          {texts.overview.lost(asOf && time(asOf))} {texts.overview.lostRetry}
        </Alert>
      )}
    </div>
  );
}

function Panels({ shown }: { shown: Shown }) {
  return (
    <div className={classes.grid}>
      <KpiTiles kpi={shown.kpi} />
      <PulseStrip pulse={shown.pulse} latencyMs={shown.diagnostics.core_api.latency_ms} />
      <DeliveryDonut delivery={shown.delivery} />
      <FunnelPanel funnel={shown.funnel} />
      <Diagnostics diagnosed={shown.diagnostics} />
      <Activity messages={shown.activity.items} />
      <Authors authors={shown.top_authors.items} />
      <Recent campaigns={shown.recent.items} />
    </div>
  );
}
