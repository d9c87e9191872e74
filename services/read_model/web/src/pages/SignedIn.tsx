import { Anchor, Center, Loader, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useProvider } from "@/auth/provider";
import { Failure } from "@/components/States";
import { texts } from "@/texts";

let arriving: Promise<string> | null = null;

/** Where the identity provider sends people back to. */
export default function SignedIn() {
  const navigate = useNavigate();
  const { data: provider } = useProvider();
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    if (provider?.kind !== "oidc") return;
    // The code in the address can be exchanged once only.
    arriving ??= import("@/auth/oidc").then(({ arrive }) => arrive(provider));
    arriving
      .then((next) => navigate(next, { replace: true }))
      .catch(setFailure)
      .finally(() => {
        arriving = null;
      });
  }, [provider, navigate]);
  return (
    <Center component="main" mih="100dvh" p="md">
      {failure ? (
        <Stack maw={420}>
          <Failure error={failure} title={texts.signIn.providerFailed} />
          <Anchor component={Link} to="/dashboard/sign-in">
            {texts.signIn.title}
          </Anchor>
        </Stack>
      ) : (
        <Stack align="center">
          <Loader aria-hidden />
          <Text role="status">{texts.signIn.opening}</Text>
        </Stack>
      )}
    </Center>
  );
}
