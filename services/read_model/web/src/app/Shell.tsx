import { Alert, AppShell, Burger, Group, NavLink, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconAddressBook,
  IconGauge,
  IconHeartRateMonitor,
  IconMessageOff,
  IconPlugConnectedX,
  IconSettings,
  IconShieldCheck,
  IconSpeakerphone,
} from "@tabler/icons-react";
import { useEffect } from "react";
import { Link, Navigate, Outlet, useLocation } from "react-router";
import { useSession } from "@/auth/session";
import { texts } from "@/texts";
import { Account } from "./Account";
import { Brand } from "./Brand";
import classes from "./Shell.module.css";
import { useCoreIsDown } from "./useCore";

const PAGES = [
  { to: "/dashboard", label: texts.shell.overview, icon: IconGauge, exact: true },
  { to: "/dashboard/campaigns", label: texts.shell.campaigns, icon: IconSpeakerphone },
  { to: "/dashboard/moderation", label: texts.shell.moderation, icon: IconShieldCheck },
  { to: "/dashboard/senders", label: texts.shell.senders, icon: IconAddressBook },
  { to: "/dashboard/opt-outs", label: texts.suppressions.title, icon: IconMessageOff },
  { to: "/dashboard/diagnostics", label: texts.shell.diagnostics, icon: IconHeartRateMonitor },
  { to: "/dashboard/settings", label: texts.settings.title, icon: IconSettings },
];

/** The frame of every page behind the sign-in: where to go, who is here, and what is wrong. */
export function Shell() {
  const session = useSession();
  const { pathname, search } = useLocation();
  const [opened, menu] = useDisclosure();
  const { close } = menu;
  // biome-ignore lint/correctness/useExhaustiveDependencies: wherever somebody goes, the menu closes
  useEffect(close, [pathname, close]);
  if (!session) {
    return <Navigate to="/dashboard/sign-in" replace state={{ next: pathname + search }} />;
  }
  return (
    <>
      <a className="skip" href="#content">
        {texts.shared.skip}
      </a>
      <AppShell
        layout="alt"
        header={{ height: { base: 56, md: 0 } }}
        navbar={{ width: "15rem", breakpoint: "md", collapsed: { mobile: !opened } }}
        classNames={{ main: classes.main, navbar: classes.navbar, header: classes.header }}
      >
        <AppShell.Header hiddenFrom="md">
          <Group h="100%" px="sm" gap="sm">
            <Burger
              opened={opened}
              onClick={menu.toggle}
              size="sm"
              aria-label={opened ? texts.shell.closeMenu : texts.shell.openMenu}
              aria-expanded={opened}
            />
            <Brand />
          </Group>
        </AppShell.Header>
        <AppShell.Navbar aria-label={texts.shell.navigation}>
          <Group px="md" h={56} justify="space-between" wrap="nowrap">
            <Brand />
            <Burger
              opened
              hiddenFrom="md"
              size="sm"
              onClick={close}
              aria-label={texts.shell.closeMenu}
            />
          </Group>
          <Stack gap={2} px="xs" py="xs" className={classes.pages}>
            {PAGES.map(({ to, label, icon: Icon, exact }) => {
              const here = exact ? pathname === to : pathname.startsWith(to);
              return (
                <NavLink
                  key={to}
                  component={Link}
                  to={to}
                  label={label}
                  active={here}
                  aria-current={here ? "page" : undefined}
                  className={classes.link}
                  leftSection={<Icon size={18} stroke={1.75} aria-hidden />}
                />
              );
            })}
          </Stack>
          <Account session={session} />
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1}>
          <CoreBanner />
          <Outlet />
        </AppShell.Main>
      </AppShell>
    </>
  );
}

function CoreBanner() {
  const isDown = useCoreIsDown();
  return (
    <div role="status">
      {isDown && (
        <Alert
          color="red"
          variant="filled"
          radius={0}
          icon={<IconPlugConnectedX aria-hidden />}
          className={classes.banner}
        >
          <Text span fw={650} inherit>
            {texts.shell.coreDownTitle}
          </Text>{" "}
          {texts.shell.coreDown}
        </Alert>
      )}
    </div>
  );
}
