import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function CampaignDetail() {
  return (
    <Page title="Campaign">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
