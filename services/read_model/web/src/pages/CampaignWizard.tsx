import { Alert, Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { api, data } from "@/api/client";
import { useMay } from "@/auth/session";
import { Page } from "@/components/Page";
import { RowsLoading } from "@/components/RowsLoading";
import { Failure } from "@/components/States";
import { texts } from "@/texts";
import { Wizard } from "./wizard/Wizard";

const { wizard } = texts;

export default function CampaignWizard() {
  const { id } = useParams();
  const mayAuthor = useMay("author");
  const [times, setTimes] = useState(0);
  if (!mayAuthor) {
    return (
      <Page title={id ? wizard.editTitle : wizard.newTitle}>
        <Alert color="amber">{wizard.notAllowed}</Alert>
      </Page>
    );
  }
  const again = () => setTimes(times + 1);
  return id ? (
    <Edit key={`${id} ${times}`} id={id} onDiscard={again} />
  ) : (
    <Wizard key={times} campaign={null} onDiscard={again} />
  );
}

function Edit({ id, onDiscard }: { id: string; onDiscard: () => void }) {
  const {
    data: campaign,
    error,
    refetch,
  } = useQuery({
    queryKey: ["campaign", id, "edited"],
    queryFn: () =>
      data(api.GET("/api/v1/campaigns/{campaign_id}", { params: { path: { campaign_id: id } } })),
    // What is being edited must not change below the editor's hands.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (campaign?.actions.includes("edit")) {
    return <Wizard campaign={campaign} onDiscard={onDiscard} />;
  }
  return (
    <Page title={wizard.editTitle}>
      {error ? (
        <Failure error={error} retry={refetch} />
      ) : campaign ? (
        <Alert color="amber" title={wizard.cannotEdit}>
          {wizard.cannotEditText}{" "}
          <Anchor component={Link} to={`/dashboard/campaigns/${id}`} inherit>
            {wizard.toCampaign}
          </Anchor>
        </Alert>
      ) : (
        <RowsLoading />
      )}
    </Page>
  );
}
