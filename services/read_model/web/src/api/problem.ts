import type { Problem } from "./types";

/** An answer that is not what was asked for: RFC 9457, or no answer at all (status 0). */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly reasons: readonly string[];
  readonly fields: ReadonlyMap<string, string>;

  constructor(problem: Partial<Problem> & { status: number }) {
    super(problem.detail || problem.title || `status ${problem.status}`);
    this.name = "ProblemError";
    this.status = problem.status;
    this.code = problem.code ?? (problem.status === 0 ? "unreachable" : "unknown");
    this.reasons = problem.reasons ?? [];
    this.fields = new Map(
      (problem.errors ?? []).map(({ field, reason }) => [field ?? "", reason ?? ""]),
    );
  }
}

/** Read the problem document of an answer; whatever else came is summed up by its status. */
export async function problemOf(answer: Response): Promise<ProblemError> {
  const told: unknown = await answer.json().catch(() => ({}));
  const problem = typeof told === "object" && told !== null ? (told as Partial<Problem>) : {};
  return new ProblemError({ title: answer.statusText, ...problem, status: answer.status });
}

/** Whether asking again in a moment makes sense: a service is away, or a view is behind. */
export function isPassing(error: unknown): boolean {
  return error instanceof ProblemError && [0, 425, 502, 503, 504].includes(error.status);
}
