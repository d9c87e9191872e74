import { Badge, Table } from "@mantine/core";
import type { Diagnosed } from "@/api/types";
import { Panel } from "@/components/Panel";
import { TableRegion } from "@/components/TableRegion";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count } from "@/texts/format";

const { diagnostics } = texts;

/** How far each view has read the log, and what it could not digest. */
export function Projections({ projections }: Pick<Diagnosed, "projections">) {
  return (
    <Panel flush title={diagnostics.projections}>
      <TableRegion label={diagnostics.projections}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{diagnostics.projection}</Table.Th>
              <Table.Th>{diagnostics.position}</Table.Th>
              <Table.Th>{diagnostics.lag}</Table.Th>
              <Table.Th ta="end">{diagnostics.parked}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {projections.map(({ name, position, lag, parked }) => (
              <Table.Tr key={name}>
                <Table.Td fw={600}>{name}</Table.Td>
                <Table.Td ff="monospace">{position}</Table.Td>
                <Table.Td>
                  <Badge style={tint(lag === 0 ? "green" : "amber")}>
                    {lag === 0 ? diagnostics.upToDate : diagnostics.behind(count(lag))}
                  </Badge>
                </Table.Td>
                <Table.Td ta="end">
                  {parked === 0 ? "0" : <Badge style={tint("red")}>{count(parked)}</Badge>}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </TableRegion>
    </Panel>
  );
}
