import {
  Alert,
  Anchor,
  Button,
  Center,
  Code,
  PasswordInput,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useEffect, useState } from "react";
import { Navigate, useLocation } from "react-router";
import { Brand } from "@/app/Brand";
import { type Provider, useProvider } from "@/auth/provider";
import { begin, hasExpired, useSession } from "@/auth/session";
import { Panel } from "@/components/Panel";
import { Failure, PageLoading } from "@/components/States";
import { texts } from "@/texts";

/** The way in: with the identity provider, or with the link that this machine has printed. */
export default function SignIn() {
  const session = useSession();
  const { state } = useLocation();
  const { data: provider, error, refetch } = useProvider();
  const next = (state as { next?: string } | null)?.next ?? "/dashboard";
  useEffect(() => {
    document.title = `${texts.signIn.title} · ${texts.shared.product}`;
  }, []);
  if (session) return <Navigate to={next} replace />;
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={420} gap="lg">
        <Center>
          <Brand />
        </Center>
        <Panel>
          <Stack>
            <Title order={1}>{texts.signIn.title}</Title>
            {hasExpired() && <Alert color="amber">{texts.signIn.expired}</Alert>}
            {error ? (
              <Failure error={error} retry={refetch} />
            ) : !provider ? (
              <PageLoading />
            ) : provider.kind === "oidc" ? (
              <WithProvider provider={provider} next={next} />
            ) : (
              <OnThisMachine />
            )}
          </Stack>
        </Panel>
      </Stack>
    </Center>
  );
}

type Oidc = Extract<Provider, { kind: "oidc" }>;

function WithProvider({ provider, next }: { provider: Oidc; next: string }) {
  const [failure, setFailure] = useState<unknown>(null);
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    void import("@/auth/oidc").then(({ resume }) => resume(provider));
  }, [provider]);
  const go = async () => {
    setLeaving(true);
    try {
      await (await import("@/auth/oidc")).leave(provider, next);
    } catch (error) {
      setFailure(error);
      setLeaving(false);
    }
  };
  return (
    <>
      <Text c="dimmed">{texts.signIn.lead}</Text>
      {failure !== null && <Failure error={failure} title={texts.signIn.providerFailed} />}
      <Button size="md" loading={leaving} onClick={() => void go()}>
        {texts.signIn.withProvider}
      </Button>
    </>
  );
}

/** The one-time code in the address, if there is one; it is taken out of the address at once. */
function takeCode(): string | null {
  const code = new URLSearchParams(window.location.hash.slice(1)).get("code");
  if (code) window.history.replaceState(window.history.state, "", window.location.pathname);
  return code;
}

async function exchange(code: string): Promise<boolean> {
  const answer = await fetch("/sign-in", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (!answer.ok) return false;
  const { token } = (await answer.json()) as { token: string };
  return begin(token, { keep: true });
}

let exchanging: Promise<boolean> | null = null;

function OnThisMachine() {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(exchanging !== null);
  const [pasting, setPasting] = useState(false);
  useEffect(() => {
    const code = takeCode();
    if (code) exchanging = exchange(code).catch(() => false);
    if (!exchanging) return;
    setBusy(true);
    void exchanging.then((worked) => {
      exchanging = null;
      setBusy(false);
      if (!worked) setProblem(texts.signIn.badLink);
    });
  }, []);
  return (
    <>
      {problem && (
        <Alert color="red" role="alert">
          {problem}
        </Alert>
      )}
      {busy ? (
        <Text role="status">{texts.signIn.opening}</Text>
      ) : (
        <Text>
          {texts.signIn.local} <Code>{texts.signIn.localCommand}</Code> {texts.signIn.localAfter}
        </Text>
      )}
      <Code block>{texts.signIn.localAgain}</Code>
      {pasting ? (
        <PasteToken />
      ) : (
        <Anchor component="button" type="button" size="sm" onClick={() => setPasting(true)}>
          {texts.signIn.orToken}
        </Anchor>
      )}
    </>
  );
}

function PasteToken() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  return (
    <form
      onSubmit={(submitted) => {
        submitted.preventDefault();
        if (!begin(token.trim(), { keep: true })) setProblem(texts.signIn.badToken);
      }}
    >
      <Stack gap="sm">
        <PasswordInput
          label={texts.signIn.token}
          value={token}
          error={problem}
          onChange={(changed) => setToken(changed.currentTarget.value)}
          autoComplete="off"
          required
          data-autofocus
        />
        <Button type="submit">{texts.signIn.use}</Button>
      </Stack>
    </form>
  );
}
