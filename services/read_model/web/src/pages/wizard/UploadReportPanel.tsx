import { Alert, Stack, Table, Text } from "@mantine/core";
import type { UploadReport } from "@/api/types";
import { Figures } from "@/components/Figures";
import { TableRegion } from "@/components/TableRegion";
import { texts } from "@/texts";
import { count } from "@/texts/format";

const { wizard } = texts;

interface Parts {
  report: UploadReport;
  /** What is said when nothing was accepted. */
  nobody?: string;
}

/** What became of the rows of a file, or of numbers that somebody gave. */
export function UploadReportPanel({ report, nobody = wizard.nobody }: Parts) {
  const { accepted, invalid, duplicate, suppressed, bad_rows } = report;
  return (
    <Stack gap="lg">
      {accepted === 0 && <Alert color="red">{nobody}</Alert>}
      <Figures
        label={wizard.reportTitle}
        figures={[
          { label: wizard.accepted, value: count(accepted), color: "green" },
          { label: wizard.invalid, value: count(invalid), color: "red" },
          { label: wizard.duplicate, value: count(duplicate), color: "gray" },
          {
            label: wizard.suppressed,
            value: count(suppressed),
            color: "amber",
            hint: wizard.suppressedHint,
          },
        ]}
      />
      {bad_rows.length > 0 && (
        <Stack gap="xs">
          <Text fw={600} size="sm">
            {wizard.badRows}
          </Text>
          {bad_rows.length < invalid && (
            <Text size="sm" c="dimmed">
              {wizard.badRowsFirst(bad_rows.length, count(invalid))}
            </Text>
          )}
          <TableRegion label={wizard.badRows}>
            <Table verticalSpacing="xs">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th ta="end" w="6rem">
                    {wizard.line}
                  </Table.Th>
                  <Table.Th>{wizard.reason}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {bad_rows.map(({ line, reason }) => (
                  <Table.Tr key={line}>
                    <Table.Td ta="end">{count(line)}</Table.Td>
                    <Table.Td>{reason}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </TableRegion>
        </Stack>
      )}
    </Stack>
  );
}
