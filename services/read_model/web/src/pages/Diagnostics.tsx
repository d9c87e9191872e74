import { Page } from "@/components/Page";
import { Empty } from "@/components/States";
import { texts } from "@/texts";

export default function Diagnostics() {
  return (
    <Page title="Diagnostics">
      <Empty title={texts.soon.text} />
    </Page>
  );
}
