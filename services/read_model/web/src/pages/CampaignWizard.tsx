import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function CampaignWizard() {
  return (
    <Page title="New campaign">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
