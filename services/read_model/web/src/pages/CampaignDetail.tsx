import { NativeSelect, Stack, Tabs } from "@mantine/core";
import { useParams } from "react-router";
import { api, data } from "@/api/client";
import type { Campaign } from "@/api/types";
import { type Liveness, useLive } from "@/api/useLive";
import { type Choices, useChoices } from "@/app/useChoices";
import { CampaignActions } from "@/components/CampaignActions";
import { LiveState } from "@/components/LiveState";
import { Page } from "@/components/Page";
import { RowsLoading } from "@/components/RowsLoading";
import { Failure } from "@/components/States";
import { StatusBadge } from "@/components/StatusBadge";
import { texts } from "@/texts";
import { Activity } from "./detail/Activity";
import { Calls } from "./detail/Calls";
import { Delivery } from "./detail/Delivery";
import { Notice, Origin } from "./detail/Heading";
import { LiveActivity } from "./detail/LiveActivity";
import { Messages } from "./detail/Messages";
import { PastRun } from "./detail/PastRun";
import { PeopleActions } from "./detail/PeopleActions";
import { Reports } from "./detail/Reports";
import { SettingsTab } from "./detail/SettingsTab";

const { detail } = texts;

export default function CampaignDetail() {
  const { id = "" } = useParams();
  const [search, choose] = useChoices();
  const asked = Number(search.get("run")) || null;
  const {
    data: campaign,
    error,
    refetch,
    liveness,
  } = useLive<Campaign>({
    key: ["campaign", id, "seen", asked],
    read: () =>
      data(
        api.GET("/api/v1/campaigns/{campaign_id}", {
          params: { path: { campaign_id: id }, query: { run: asked } },
        }),
      ),
    // The stream tells of the current run only.
    stream: asked === null ? `/api/v1/campaigns/${id}/stream` : undefined,
    event: "campaign",
  });
  if (!campaign) {
    return (
      <Page title={detail.loadingTitle}>
        {error ? <Failure error={error} retry={refetch} /> : <RowsLoading />}
      </Page>
    );
  }
  return (
    <Shown
      campaign={campaign}
      liveness={asked === null ? liveness : null}
      tab={search.get("tab")}
      choose={choose}
    />
  );
}

interface Parts {
  campaign: Campaign;
  /** Null for the numbers of a past run, which do not move. */
  liveness: Liveness | null;
  tab: string | null;
  choose: (choices: Choices) => void;
}

function Shown({ campaign, liveness, tab, choose }: Parts) {
  const isVoice = campaign.channel === "voice";
  const isPast = isVoice && campaign.run !== campaign.run_number;
  const toRun = (run: number) => choose({ run: run === campaign.run_number ? null : String(run) });
  return (
    <Page
      title={campaign.name}
      beside={
        <>
          <StatusBadge status={campaign.status} />
          {liveness && <LiveState liveness={liveness} />}
        </>
      }
      actions={
        <>
          {isVoice && campaign.run_number > 1 && (
            <RunChoice current={campaign.run_number} run={campaign.run} onChange={toRun} />
          )}
          <CampaignActions campaign={campaign} words />
        </>
      }
    >
      <Origin campaign={campaign} />
      {isPast ? (
        <PastRun run={campaign.run} toCurrent={() => choose({ run: null })} />
      ) : (
        <Notice campaign={campaign} />
      )}
      <Stack gap="md">
        {isVoice ? <LiveActivity campaign={campaign} /> : <Delivery campaign={campaign} />}
        <Details campaign={campaign} tab={tab} onTab={(next) => choose({ tab: next })} />
      </Stack>
    </Page>
  );
}

interface Choice {
  current: number;
  run: number;
  onChange: (run: number) => void;
}

function RunChoice({ current, run, onChange }: Choice) {
  return (
    <NativeSelect
      aria-label={detail.run}
      value={String(run)}
      onChange={(event) => onChange(Number(event.currentTarget.value))}
      data={Array.from({ length: current }, (_, index) => current - index).map((one) => ({
        value: String(one),
        label: detail.runOf(one, one === current),
      }))}
    />
  );
}

interface Tabbed {
  campaign: Campaign;
  tab: string | null;
  onTab: (tab: string | null) => void;
}

function Details({ campaign, tab, onTab }: Tabbed) {
  const first = campaign.channel === "voice" ? "calls" : "messages";
  const names = [first, "activity", "reports", "settings"] as const;
  const shown = names.find((name) => name === tab) ?? first;
  return (
    <Tabs
      value={shown}
      onChange={(next) => onTab(next === first ? null : next)}
      keepMounted={false}
    >
      <Tabs.List aria-label={detail.tabList} mb="md">
        {names.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {detail.tabs[name]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={shown}>
        {shown === first && <PeopleActions campaign={campaign} />}
        {shown === "messages" && campaign.channel === "sms" && <Messages campaign={campaign} />}
        {shown === "calls" && campaign.channel === "voice" && <Calls campaign={campaign} />}
        {shown === "activity" && <Activity campaign={campaign} />}
        {shown === "reports" && <Reports campaign={campaign} />}
        {shown === "settings" && <SettingsTab campaign={campaign} />}
      </Tabs.Panel>
    </Tabs>
  );
}
