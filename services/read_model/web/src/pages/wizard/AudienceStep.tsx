import { Alert, Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { IconFileText, IconUpload } from "@tabler/icons-react";
import { type DragEvent, useId, useState } from "react";
import type { Campaign } from "@/api/types";
import { TableRegion } from "@/components/TableRegion";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { bytes, count } from "@/texts/format";
import classes from "./AudienceStep.module.css";
import type { FirstRows } from "./rows";
import type { Audience } from "./useAudience";

const { wizard } = texts;

interface Parts {
  audience: Audience;
  /** The contacts that the campaign has already. */
  present: Campaign["contacts"];
  isTrigger: boolean;
  isLocked: boolean;
}

/** Who is to be reached: a file, and its first rows. */
export function AudienceStep({ audience, present, isTrigger, isLocked }: Parts) {
  if (isLocked) return <Alert color="gray">{wizard.locked}</Alert>;
  if (isTrigger) return <Alert color="blue">{wizard.noUpload}</Alert>;
  const { file, rows, problem, wanted } = audience;
  return (
    <Stack>
      {present && (
        <Alert color="gray">
          {wizard.present(count(present.accepted))} {wizard.replaces}
        </Alert>
      )}
      {wanted && !file && <Alert color="amber">{wizard.fileGone(wanted)}</Alert>}
      {file ? <Chosen audience={audience} file={file} /> : <Drop onFile={audience.choose} />}
      {problem && (
        <Alert color="red" role="alert">
          {problem}
        </Alert>
      )}
      {rows && <FirstOnes rows={rows} />}
      {!file && !present && (
        <Text size="sm" c="dimmed">
          {wizard.later}
        </Text>
      )}
    </Stack>
  );
}

function Drop({ onFile }: { onFile: (file: File) => void }) {
  const [isOver, setIsOver] = useState(false);
  const hint = useId();
  const over = (event: DragEvent, is: boolean) => {
    event.preventDefault();
    setIsOver(is);
  };
  return (
    <label
      className={classes.drop}
      data-over={isOver || undefined}
      onDragOver={(event) => over(event, true)}
      onDragLeave={(event) => over(event, false)}
      onDrop={(event) => {
        over(event, false);
        const [dropped] = event.dataTransfer.files;
        if (dropped) onFile(dropped);
      }}
    >
      <IconUpload size={28} stroke={1.5} aria-hidden />
      <span>
        <strong>{wizard.choose}</strong> {wizard.orDrop}
      </span>
      <input
        type="file"
        accept=".csv,.txt,text/csv,text/plain"
        aria-label={wizard.file}
        aria-describedby={hint}
        className={classes.input}
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          if (chosen) onFile(chosen);
        }}
      />
      <Text id={hint} component="span" size="sm" c="dimmed">
        {wizard.fileHint}
      </Text>
    </label>
  );
}

function Chosen({ audience, file }: { audience: Audience; file: File }) {
  return (
    <Group className={classes.chosen} justify="space-between">
      <Group gap="sm" wrap="nowrap" miw={0}>
        <IconFileText size={22} aria-hidden />
        <div className={classes.name}>
          <Text fw={600} size="sm">
            {file.name}
          </Text>
          <Text size="xs" c="dimmed">
            {bytes(file.size)}
          </Text>
        </div>
      </Group>
      <Button size="xs" variant="default" onClick={() => audience.choose(null)}>
        {wizard.remove}
      </Button>
    </Group>
  );
}

function FirstOnes({ rows }: { rows: FirstRows }) {
  const columns = rows.columns.map((name, place) => ({ name, place, key: `${place} ${name}` }));
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Text fw={600} size="sm">
          {wizard.firstRows}
        </Text>
        {rows.isList && <Badge style={tint("gray")}>{wizard.oneColumn}</Badge>}
      </Group>
      <div className={classes.rows}>
        <TableRegion label={wizard.firstRows}>
          <Table verticalSpacing="xs">
            {!rows.isList && (
              <Table.Thead>
                <Table.Tr>
                  {columns.map(({ name, place, key }) => (
                    <Table.Th key={key}>
                      {name || "–"}{" "}
                      {place === rows.phone && (
                        <Badge size="sm" style={tint("teal")}>
                          {wizard.phoneColumn}
                        </Badge>
                      )}
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
            )}
            <Table.Tbody>
              {rows.rows.map((row, number) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have their place only
                <Table.Tr key={number}>
                  {columns.map(({ place, key }) => (
                    <Table.Td key={key} className={classes.cell}>
                      {row[place] ?? ""}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableRegion>
      </div>
    </Stack>
  );
}
