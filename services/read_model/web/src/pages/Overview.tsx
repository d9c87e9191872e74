import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function Overview() {
  return (
    <Page title="Overview">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
