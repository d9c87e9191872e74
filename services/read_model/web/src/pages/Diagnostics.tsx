import { Alert, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { useMay } from "@/auth/session";
import { Page } from "@/components/Page";
import { RowsLoading } from "@/components/RowsLoading";
import { Failure } from "@/components/States";
import { texts } from "@/texts";
import { Audit } from "./diagnostics/Audit";
import { Health } from "./diagnostics/Health";
import { Links } from "./diagnostics/Links";
import { Parked } from "./diagnostics/Parked";
import { Projections } from "./diagnostics/Projections";

const { diagnostics } = texts;
const EVERY_MS = 5_000;

export default function Diagnostics() {
  const mayAudit = useMay("audit");
  const mayAdminister = useMay("administer");
  const {
    data: diagnosed,
    error,
    refetch,
  } = useQuery({
    queryKey: ["diagnostics", "state"],
    queryFn: () => data(api.GET("/api/v1/diagnostics")),
    refetchInterval: EVERY_MS,
  });
  return (
    <Page title={diagnostics.title}>
      <Stack gap="md">
        {diagnosed ? (
          <>
            <Health diagnosed={diagnosed} />
            <Projections projections={diagnosed.projections} />
          </>
        ) : error ? (
          <Failure error={error} retry={refetch} />
        ) : (
          <RowsLoading />
        )}
        <Links />
        {mayAdminister && <Parked />}
        {mayAudit ? <Audit /> : <Alert color="gray">{diagnostics.notAllowed}</Alert>}
      </Stack>
    </Page>
  );
}
