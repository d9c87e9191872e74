// What is searched for in the audit log: as fields hold it, and as the API is asked.
export interface AuditWanted {
  actor: string;
  action: string;
  resource: string;
  /** Local times, as a browser's fields have them. */
  from: string;
  to: string;
}

export const EVERYTHING: AuditWanted = { actor: "", action: "", resource: "", from: "", to: "" };

/** The query of a search; what is empty is not asked for. Several of one kind are told by commas. */
export function auditQuery(wanted: AuditWanted): Record<string, string[] | string> {
  const several = (value: string) =>
    value
      .split(/[\s,]+/)
      .map((one) => one.trim())
      .filter(Boolean);
  const asked: Record<string, string[] | string> = {};
  for (const name of ["actor", "action", "resource"] as const) {
    const values = several(wanted[name]);
    if (values.length > 0) asked[name] = values;
  }
  for (const name of ["from", "to"] as const) {
    const at = new Date(wanted[name]);
    if (wanted[name] && !Number.isNaN(at.getTime())) asked[name] = at.toISOString();
  }
  return asked;
}

/** The same as the end of an address. */
export function auditAddress(wanted: AuditWanted): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(auditQuery(wanted))) {
    for (const one of [value].flat()) query.append(name, one);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
