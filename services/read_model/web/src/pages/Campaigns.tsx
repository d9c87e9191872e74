import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function Campaigns() {
  return (
    <Page title="Campaigns">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
