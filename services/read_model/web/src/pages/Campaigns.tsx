import { Button, Text } from "@mantine/core";
import { IconMoodEmpty, IconPlus, IconSpeakerphone } from "@tabler/icons-react";
import { Link } from "react-router";
import { useMay } from "@/auth/session";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Empty, Failure } from "@/components/States";
import { texts } from "@/texts";
import { count } from "@/texts/format";
import { CampaignTable } from "./campaigns/CampaignTable";
import { FilterBar } from "./campaigns/FilterBar";
import { type Filters, useFilters } from "./campaigns/filters";
import { TableLoading } from "./campaigns/TableLoading";
import { useCampaigns } from "./campaigns/useCampaigns";

const { campaigns: words } = texts;

/** Every campaign, how it goes, and what may be done with it. */
export default function Campaigns() {
  const [filters, change] = useFilters();
  const list = useCampaigns(filters);
  const mayCreate = useMay("author");
  return (
    <Page
      title={words.title}
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
      <FilterBar filters={filters} change={change} />
      <Text size="sm" c="dimmed" mb="xs" role="status">
        {told(list)}
      </Text>
      <Panel flush>
        {list.error ? (
          <Failure error={list.error} retry={list.refetch} title={words.failed} />
        ) : list.isPending ? (
          <TableLoading />
        ) : list.rows.length > 0 ? (
          <CampaignTable list={list} />
        ) : list.isLookingOn ? (
          <TableLoading />
        ) : (
          <NoRows filters={filters} change={change} />
        )}
      </Panel>
    </Page>
  );
}

function told(list: ReturnType<typeof useCampaigns>): string {
  const found = count(list.rows.length);
  if (list.isPending || list.error) return "\u00a0";
  if (list.isLookingOn) return words.searching(found, count(list.lookedAt));
  if (list.isSearch) return words.found(found);
  return list.hasMore ? words.shownSoFar(found) : words.shown(found);
}

interface Filtered {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
}

function NoRows({ filters, change }: Filtered) {
  const mayCreate = useMay("author");
  const isFiltered = Boolean(
    filters.search || filters.status || filters.channel || filters.archived,
  );
  if (isFiltered) {
    const none = { search: "", status: null, channel: null, archived: false };
    return (
      <Empty title={words.noMatch} icon={<IconMoodEmpty aria-hidden />}>
        <p>{words.noMatchHint}</p>
        <Button variant="default" onClick={() => change(none)}>
          {words.noFilter}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty title={words.nothing} icon={<IconSpeakerphone aria-hidden />}>
      <p>{words.nothingHint}</p>
      {mayCreate && (
        <Button component={Link} to="/dashboard/campaigns/new">
          {texts.shell.newCampaign}
        </Button>
      )}
    </Empty>
  );
}
