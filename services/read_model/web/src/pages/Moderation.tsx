import { Tabs } from "@mantine/core";
import { useSearchParams } from "react-router";
import { Page } from "@/components/Page";
import { texts } from "@/texts";
import { WaitingCampaigns } from "./moderation/WaitingCampaigns";
import { WaitingSenders } from "./moderation/WaitingSenders";

const { moderation } = texts;

export default function Moderation() {
  const [search, setSearch] = useSearchParams();
  const tab = search.get("tab") === "senders" ? "senders" : "campaigns";
  return (
    <Page title={moderation.title}>
      <Tabs
        value={tab}
        onChange={(next) => setSearch(next === "senders" ? { tab: next } : {}, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List aria-label={moderation.tabs} mb="md">
          <Tabs.Tab value="campaigns">{moderation.campaigns}</Tabs.Tab>
          <Tabs.Tab value="senders">{moderation.senders}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="campaigns">
          <WaitingCampaigns />
        </Tabs.Panel>
        <Tabs.Panel value="senders">
          <WaitingSenders />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
