import {
  Avatar,
  Button,
  Group,
  Menu,
  Modal,
  Stack,
  Text,
  TextInput,
  UnstyledButton,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconBuilding,
  IconBuildingCommunity,
  IconCheck,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSelector,
  IconSun,
} from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useProvider } from "@/auth/provider";
import { askWorkspace, end, type Session, useWorkspace, workspaceAsked } from "@/auth/session";
import { texts } from "@/texts";
import classes from "./Account.module.css";

const SCHEMES = [
  { value: "light", label: texts.shell.light, icon: IconSun },
  { value: "dark", label: texts.shell.dark, icon: IconMoon },
  { value: "auto", label: texts.shell.auto, icon: IconDeviceDesktop },
] as const;

/** Who is signed in, in which workspace; colours, and the way out. */
export function Account({ session }: { session: Session }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const workspace = useWorkspace();
  const client = useQueryClient();
  const { data: provider } = useProvider();
  const [asking, ask] = useDisclosure();
  const look = (name: string | null) => {
    askWorkspace(name);
    client.clear();
  };
  const leave = async () => {
    client.clear();
    if (provider?.kind === "oidc") await (await import("@/auth/oidc")).signOut(provider);
    end();
  };
  return (
    <div className={classes.account}>
      <Menu position="top-start" width="target" shadow="md">
        <Menu.Target>
          <UnstyledButton className={classes.button}>
            <Group gap="sm" wrap="nowrap">
              <Avatar
                name={session.person.name}
                aria-hidden
                color="teal"
                variant="filled"
                size={34}
                radius="xl"
              />
              <div className={classes.who}>
                <Text size="sm" fw={600} truncate>
                  {session.person.name}
                </Text>
                <Text size="xs" c="dimmed" truncate>
                  {workspace}
                </Text>
              </div>
              <IconSelector size={16} aria-hidden />
            </Group>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {texts.shell.roles}: {session.roles.join(", ")}
          </Menu.Label>
          {session.roles.includes("super_admin") && (
            <>
              <Menu.Item
                leftSection={<IconBuildingCommunity size={16} aria-hidden />}
                onClick={ask.open}
              >
                {texts.shell.otherWorkspace}
              </Menu.Item>
              {workspaceAsked() && (
                <Menu.Item
                  leftSection={<IconBuilding size={16} aria-hidden />}
                  onClick={() => look(null)}
                >
                  {texts.shell.ownWorkspace}
                </Menu.Item>
              )}
              <Menu.Divider />
            </>
          )}
          <Menu.Label>{texts.shell.colors}</Menu.Label>
          {SCHEMES.map(({ value, label, icon: Icon }) => (
            <Menu.Item
              key={value}
              leftSection={<Icon size={16} aria-hidden />}
              rightSection={colorScheme === value ? <IconCheck size={16} aria-hidden /> : null}
              onClick={() => setColorScheme(value)}
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconLogout size={16} aria-hidden />}
            onClick={() => void leave()}
          >
            {texts.shell.signOut}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <OtherWorkspace opened={asking} close={ask.close} look={look} />
    </div>
  );
}

interface Asking {
  opened: boolean;
  close: () => void;
  look: (workspace: string) => void;
}

function OtherWorkspace({ opened, close, look }: Asking) {
  const [name, setName] = useState("");
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={texts.shell.otherWorkspace}
      closeButtonProps={{ "aria-label": texts.shared.close }}
    >
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          look(name.trim());
          close();
        }}
      >
        <Stack>
          <TextInput
            label={texts.shell.workspaceName}
            value={name}
            onChange={(changed) => setName(changed.currentTarget.value)}
            pattern="[A-Za-z0-9_\-]{1,64}"
            required
            data-autofocus
          />
          <Button type="submit">{texts.shell.look}</Button>
        </Stack>
      </form>
    </Modal>
  );
}
