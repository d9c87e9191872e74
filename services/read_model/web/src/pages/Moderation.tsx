import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function Moderation() {
  return (
    <Page title="Moderation">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
