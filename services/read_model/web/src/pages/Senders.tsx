import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function Senders() {
  return (
    <Page title="Senders">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
